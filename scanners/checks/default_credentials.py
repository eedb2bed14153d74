"""Does a password work that the vendor printed in the manual?"""

from collections.abc import Sequence

from cameras.facts import CredentialTrial, CredentialTrials
from scanners.model import Check, Judgement, Severity, failed, passed, undecided


def evaluate(answer: CredentialTrials) -> Sequence[Judgement]:
    if answer.vendor is None:
        return [undecided("No default password is documented for this manufacturer; look into the camera's manual")]
    if answer.control == "accepted":
        return [
            undecided(
                "The camera let a made-up account in, so an accepted login proves nothing here",
                vendor=answer.vendor,
                control=answer.control,
                detail=answer.control_detail,
            )
        ]
    if answer.control == "not-run":
        return [
            undecided(
                f"Default passwords could not be tried: {answer.control_detail}",
                vendor=answer.vendor,
                control=answer.control,
                detail=answer.control_detail,
            )
        ]
    if not answer.trials:
        return [undecided("No default password was tried", vendor=answer.vendor)]
    accounts = dict.fromkeys(trial.account for trial in answer.trials)
    return [_judge(account, [t for t in answer.trials if t.account == account]) for account in accounts]


def _judge(account: str, trials: Sequence[CredentialTrial]) -> Judgement:
    pairs = {trial.pair: trial.outcome for trial in trials}
    accepted = [trial.pair for trial in trials if trial.outcome == "accepted"]
    if accepted:
        return failed(f"Account {account} still has its default password", subject=account, pairs=pairs)
    left = [trial.detail for trial in trials if trial.outcome == "not-tried"]
    if left:
        return undecided(f"Account {account} could not be tried: {left[0]}", subject=account, pairs=pairs)
    return passed(f"Account {account} refuses its documented default password", subject=account, pairs=pairs)


CHECK = Check(
    id="default-credentials",
    title="No account has its default password",
    severity=Severity.CRITICAL,
    rationale=(
        "The password stands in the manual and in every attack tool. Whoever reaches the camera is its "
        "administrator: they watch the people in front of it, switch it off, or use it against the rest of the "
        "network."
    ),
    remediation=(
        "Give the account a long random password of its own, or remove the account where the camera allows it. "
        "Update the password in recorder, video management and scripts at the same time: they stop recording until "
        "they have it, and their repeated tries may lock the account."
    ),
    references=(
        "https://cwe.mitre.org/data/definitions/1392.html",
        "https://www.etsi.org/deliver/etsi_en/303600_303699/303645/",
    ),
    standards={
        "CWE": ("CWE-1392",),
        "NIST SP 800-53": ("IA-5", "AC-2"),
        "IEC 62443-3-3": ("SR 1.5", "SR 1.7"),
        "ETSI EN 303 645": ("5.1-1",),
        "CIS Controls v8": ("4.7", "5.2"),
    },
    needs=(CredentialTrials,),
    evaluate=evaluate,
)
