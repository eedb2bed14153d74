"""Commissioning: a checklist per camera, filled in by machine and person, signed, and handed over as a package."""
