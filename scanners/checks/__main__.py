"""`python -m scanners.checks > docs/checks.md`."""

import sys

from scanners.checks import catalogue_page

sys.stdout.write(catalogue_page())
