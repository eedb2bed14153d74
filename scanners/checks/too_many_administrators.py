"""Do more accounts administer the camera than somebody can look after?"""

from collections.abc import Sequence

from cameras.facts import Accounts
from scanners.checks._words import count, listed
from scanners.knowledge import Policy
from scanners.model import Check, Judgement, Severity, failed, passed, undecided


def evaluate(accounts: Accounts, policy: Policy) -> Sequence[Judgement]:
    if not accounts.users:
        return [undecided("The camera lists no account at all")]
    administrators = [account.name for account in accounts.users if account.role.casefold() == "administrator"]
    limit = policy.accounts.administrators
    evidence = {"administrators": administrators, "accounts": len(accounts.users), "limit": limit}
    words = f"{count(len(administrators), 'account')} of {len(accounts.users)} may administer"
    if len(administrators) > limit:
        return [failed(f"{words} ({listed(administrators)}); the limit is {limit}", subject="", **evidence)]
    return [passed(f"{words}; the limit is {limit}", subject="", **evidence)]


CHECK = Check(
    id="too-many-administrators",
    title="Few accounts may administer",
    severity=Severity.MEDIUM,
    rationale=(
        "Each administrator's password opens everything, and those of former installers and shared accounts are "
        "rarely changed. When one leaks, nobody can tell who acted, and the owner cannot close one door without "
        "finding all."
    ),
    remediation=(
        "Keep one account for people and one for the management service. Lower the others to operator or viewer, and "
        "remove those that nobody claims. Recorders need no administrator to record, but some refuse to add a camera "
        "without one: test one camera first."
    ),
    references=(
        "https://www.onvif.org/specs/core/ONVIF-Core-Specification.pdf",
        "https://cwe.mitre.org/data/definitions/269.html",
        "https://help.axis.com/en-us/axis-os-hardening-guide",
    ),
    standards={
        "CWE": ("CWE-269",),
        "NIST SP 800-53": ("AC-2", "AC-6(5)"),
        "IEC 62443-3-3": ("SR 1.3", "SR 2.1"),
        "CIS Controls v8": ("5.1", "5.4"),
    },
    needs=(Accounts, Policy),
    evaluate=evaluate,
)
