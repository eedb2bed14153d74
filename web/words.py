"""The words, icons and tones of every state. A state never shows as a colour alone: each has a word and a shape."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """`icon` is a shape of `icons.html`, `tone` a class of the style sheet, `meaning` one sentence for a reader."""

    text: str
    icon: str
    tone: str
    meaning: str = ""


# The side bar: the parts of the console that an entry lights up for, its address, its icon, its name.
SECTIONS = (
    (("",), "/", "overview", "Overview"),
    (("devices",), "/devices", "camera", "Devices"),
    (("findings", "checks"), "/findings?by=check", "flag", "Findings"),
    (("jobs", "scans", "plans", "rotations", "rollouts"), "/jobs", "plan", "Plans & jobs"),
    (("commissioning",), "/commissioning", "clipboard", "Commissioning"),
    (("images",), "/images", "picture", "Images"),
    (("reports",), "/reports", "report", "Reports"),
    (("settings",), "/settings", "gear", "Settings"),
)

SEVERITIES = {
    "critical": Word("Critical", "octagon", "critical", "Anyone who can reach the camera can take it over."),
    "high": Word("High", "triangle", "high", "An attacker on the network sees pictures or passwords."),
    "medium": Word("Medium", "diamond", "medium", "Weakens the camera or helps another attack."),
    "low": Word("Low", "disc", "low", "Good housekeeping."),
}

VERDICTS = {
    "fail": Word("Fails", "cross", "fail"),
    "error": Word("Our error", "wrench", "unknown"),
    "unknown": Word("Unknown", "question", "unknown"),
    "pass": Word("Passes", "check", "pass"),
    "not-applicable": Word("Does not apply", "dash", "quiet"),
}

STATES = {
    "open": Word("Open", "circle-dot", "fail", "Nobody has decided about it yet."),
    "reopened": Word("Reopened", "return", "fail", "It was settled once and has come back."),
    "acknowledged": Word("Acknowledged", "eye", "low", "Somebody has seen it and will deal with it."),
    "risk-accepted": Word("Risk accepted", "hourglass", "medium", "Tolerated with a reason, until a date."),
    "fixed": Word("Fixed", "check", "pass", "A later scan looked again and it was gone."),
}

SCAN_STATES = {
    "queued": Word("Waiting to start", "hourglass", "low"),
    "running": Word("Running", "play", "accent"),
    "done": Word("Finished", "check", "pass"),
    "failed": Word("Failed", "cross", "fail"),
    "interrupted": Word("Interrupted", "return", "unknown", "The service was restarted while this scan was running."),
    "stopped": Word("Stopped", "stop", "unknown", "Somebody stopped it; what was found until then is kept."),
}

COMMISSIONING_STATES = {
    "open": Word("Under way", "play", "accent"),
    "signed": Word("Signed", "check", "pass", "Closed for ever; it can be handed over."),
}

PICTURE_VERDICTS = {
    "": Word("Not looked at", "dash", "quiet", "No picture was judged yet."),
    "ok": Word("As it should be", "check", "pass"),
    "degraded": Word("Degraded", "triangle", "medium", "It shows less than its reference view."),
    "failed": Word("Failed", "cross", "fail", "It does not show what it should."),
    "unknown": Word(
        "Not assessable", "question", "unknown", "There is nothing to compare it with, or no picture came."
    ),
    "muted": Word("Muted", "hourglass", "low", "Planned work: nothing is raised."),
    "over": Word("Over", "check", "pass"),
}

DRIFTS = {
    "steady": Word("Steady", "check", "pass"),
    "drifted": Word("Drifted", "triangle", "high", "It sees less, or other things, than it used to."),
    "learning": Word("Learning", "hourglass", "low", "Not enough was counted to expect anything."),
    "not assessable": Word("Not assessable", "question", "unknown"),
}

WATCH_STATES = {
    "queued": Word("Waiting", "hourglass", "low"),
    "running": Word("Watching", "play", "accent"),
    "done": Word("Done", "check", "pass"),
    "failed": Word("Failed", "cross", "fail"),
    "stopped": Word("Stopped", "stop", "unknown"),
}

ROW_STATES = {
    "not-started": Word("Not started", "circle-dot", "quiet"),
    "auto-pass": Word("Passes", "check", "pass", "The machine has judged it."),
    "auto-fail": Word("Fails", "cross", "fail", "The machine has judged it; put it right, or waive it with a reason."),
    "needs-person": Word("Needs a person", "eye", "unknown", "The machine could not tell."),
    "passed": Word("Passed", "check", "pass", "A person looked."),
    "failed": Word("Failed", "cross", "fail", "A person looked."),
    "not-applicable": Word("Does not apply", "dash", "quiet"),
    "waived": Word("Waived", "hourglass", "medium", "Left as it is, with a reason."),
}

PHASES = {
    "": "Preparing",
    "queued": "Preparing",
    "sweep": "Looking for cameras",
    "assess": "Examining cameras",
}

# Why a fact, a verdict or an address has no answer, and what to do next.
REASONS = {
    "unreachable": Word(
        "Unreachable", "plug", "unknown", "Nothing answered. Check power, cable, address and firewall."
    ),
    "unauthorized": Word("Wants a login", "lock", "unknown", "Give credentials for this camera."),
    "locked-out": Word(
        "Locked out", "lock", "unknown", "Login is blocked for now. Wait; every further try makes it longer."
    ),
    "clock-skewed": Word("Clock is off", "clock", "unknown", "It refuses signed requests until its clock is set."),
    "unsupported": Word("Not supported", "dash", "quiet", "The camera says that it has no such function."),
    "refused": Word("Refused", "cross", "unknown", "The camera understood the question and said no."),
    "garbled": Word("Garbled answer", "wrench", "unknown", "Something answered that could not be understood."),
    "not-asked": Word("Not asked", "dash", "quiet", "This scan did not ask for it."),
    "error": Word("Our error", "wrench", "unknown", "The fault is ours; it is in the log."),
    "not-a-camera": Word("Not a camera", "dash", "quiet", "Something answers there, but it does not speak ONVIF."),
    "undecided": Word("Undecided", "question", "unknown", "The evidence is there but proves nothing either way."),
}

ROLES = {
    "viewer": "reads everything",
    "operator": "reads, triages and scans",
    "administrator": "may do everything",
}

# The facts of a dossier, in the order in which a reader wants them.
FACTS = {
    "identity": ("Identity", "Who the camera says it is."),
    "clock": ("Clock", "Its time beside ours."),
    "clock_source": ("Time servers", "Where it takes its time from."),
    "accounts": ("Accounts", "The accounts that its ONVIF interface lists."),
    "open_ports": ("TCP ports", "What accepted a connection, refused it, or stayed silent."),
    "banners": ("Banners", "What open ports said first."),
    "network_services": ("Declared services", "The services that the camera itself says it offers."),
    "login_pages": ("Web front pages", "What a browser meets without a login."),
    "tls_postures": ("TLS", "Certificates and protocols of its TLS ports."),
    "network_interfaces": ("Network interfaces", "Its own view of its addresses."),
    "hostname": ("Host name", "The name it uses on the network."),
    "discovery_mode": ("Discovery", "Whether it announces itself to everybody."),
    "stream_profiles": ("Stream profiles", "Its video streams and where they are."),
    "anonymous_onvif": ("ONVIF without a login", "Protected questions that were asked without a password."),
    "anonymous_pictures": ("Pictures without a login", "Snapshot addresses that were asked for without a password."),
    "anonymous_streams": ("Streams without a login", "RTSP streams that were asked for without a password."),
    "setup_state": ("Set-up state", "Signs of whether it was ever set up."),
    "credential_trials": (
        "Default credentials",
        "Documented factory logins that were tried. Passwords are never stored.",
    ),
    "scopes": ("Scopes", "What it says about itself in discovery."),
    "services": ("ONVIF services", "The web services that it announces."),
}

# Field names whose plain reading would mislead or lose a unit.
FIELDS = {
    "skew_s": "Off by (seconds)",
    "uncertainty_s": "Give or take (seconds)",
    "limit_s": "Limit (seconds)",
    "utc": "Its time (UTC)",
    "mac": "MAC address",
    "url": "Address",
    "tls": "Inside TLS",
    "dhcp": "By DHCP",
    "from_dhcp": "Given by DHCP",
    "uri": "Address",
    "stream_uri": "Stream address",
    "snapshot_uri": "Snapshot address",
    "key_bits": "Key length (bits)",
    "redirects_to": "Redirects to",
    "not_before": "Valid from",
    "not_after": "Valid until",
    "control": "Negative control",
}


def field_name(name: str) -> str:
    """`frame_rate` as "Frame rate"."""
    return FIELDS.get(name) or name.replace("_", " ").replace("-", " ").strip().capitalize()


_ACRONYMS = {"onvif", "rtsp", "http", "tls", "ftp", "ntp"}


def weakness(check: str) -> str:
    """The id of a check names what is wrong: "anonymous-onvif" as "Anonymous ONVIF". Its title names the good state."""
    first, *rest = (part.upper() if part in _ACRONYMS else part for part in check.split("-"))
    return " ".join((first if first.isupper() else first.capitalize(), *rest))


def word(words: dict[str, Word], state: str) -> Word:
    """A state that we have no word for still shows, as itself."""
    return words.get(state) or Word(state or "Not stated", "question", "unknown")
