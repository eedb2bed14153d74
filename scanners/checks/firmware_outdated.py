"""Is there a newer firmware than the one installed?"""

from collections.abc import Sequence

from cameras.facts import Identity
from scanners import versions
from scanners.checks._words import count
from scanners.knowledge import FirmwareCatalogue
from scanners.model import Check, Judgement, Severity, failed, passed, undecided
from scanners.versions import Order


def evaluate(identity: Identity, catalogue: FirmwareCatalogue) -> Sequence[Judgement]:
    maker, model, firmware = identity.manufacturer, identity.model, identity.firmware
    age, expired = catalogue.age_days, catalogue.expired
    evidence: dict[str, object] = {
        "manufacturer": maker,
        "model": model,
        "installed": firmware,
        "catalogue_dated": catalogue.dated.isoformat(),
        "catalogue_age_days": age,
        "catalogue_expired": expired,
    }
    if maker is None or model is None or firmware is None:
        return [undecided("The camera does not say its manufacturer, model and firmware", subject="", **evidence)]
    scheme = catalogue.scheme(maker, model)
    if scheme is None:
        return [
            undecided(f"The firmware catalogue does not know {maker} {model}; add a row for it", subject="", **evidence)
        ]
    installed = versions.parse(scheme, firmware)
    if installed is None:
        return [undecided(f"Firmware {firmware!r} is not written the {scheme} way", subject="", **evidence)]
    release = catalogue.newest(maker, model, installed)
    if release is None:
        return [undecided(f"The firmware catalogue has no track that {firmware} belongs to", subject="", **evidence)]
    evidence |= {"newest": release.newest, "track": release.track}
    newest = versions.parse(scheme, release.newest)
    order = versions.compare(installed, newest) if newest else Order.UNKNOWN
    old = f", {count(age, 'day')} old" if age is not None and age > 0 else ""
    says = f"{release.newest} in the catalogue of {catalogue.dated}{old}{', expired' if expired else ''}"
    if order is Order.UNKNOWN:
        return [undecided(f"Firmware {firmware} does not compare with {says}", subject="", **evidence)]
    if order is Order.OLDER:
        return [failed(f"Firmware {firmware} is older than {says}", subject="", **evidence)]
    return [passed(f"Firmware {firmware} is {_AT_LEAST[order]} {says}", subject="", **evidence)]


_AT_LEAST = {Order.SAME: "the same as", Order.NEWER: "newer than"}


CHECK = Check(
    id="firmware-outdated",
    title="The newest firmware of its track is installed",
    severity=Severity.HIGH,
    rationale=(
        "Published weaknesses of older firmware are exploited by anybody with the script, most of them without a "
        "login. A camera taken over films for strangers and is a foothold in the owner's network."
    ),
    remediation=(
        "Read the release notes, save the configuration, update one camera of the model, look at picture, recording "
        "and analytics, then the others. The camera is blind for some minutes; settings and apps may change between "
        "major versions, and some vendors demand a step in between. Never load firmware of another region or brand."
    ),
    references=(
        "https://csrc.nist.gov/pubs/sp/800/40/r4/final",
        "https://help.axis.com/en-us/axis-os-hardening-guide",
        "https://www.cisa.gov/known-exploited-vulnerabilities-catalog",
    ),
    standards={
        "NIST SP 800-53": ("SI-2", "RA-5"),
        "ETSI EN 303 645": ("5.3",),
        "CIS Controls v8": ("7.3",),
    },
    needs=(Identity, FirmwareCatalogue),
    evaluate=evaluate,
)
