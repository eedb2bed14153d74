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
    (("", "first-steps"), "/", "overview", "Overview"),
    (("devices", "expected", "sites"), "/devices", "camera", "Devices"),
    (("findings", "checks"), "/findings?by=check", "flag", "Findings"),
    (("jobs", "scans", "plans", "rotations", "rollouts"), "/jobs", "plan", "Plans & jobs"),
    (("commissioning",), "/commissioning", "clipboard", "Commissioning"),
    (("images",), "/images", "picture", "Images"),
    (("reports",), "/reports", "report", "Reports"),
    (("settings", "schedules"), "/settings", "gear", "Settings"),
)


@dataclass(frozen=True, slots=True)
class StepWord:
    """A first step: what it is called, in one word where there is little room, and where it is."""

    text: str
    short: str
    href: str


FIRST_STEPS = {
    "account": StepWord("Your account", "Account", "/first-steps/account"),
    "site": StepWord("Site and networks", "Site", "/first-steps/site"),
    "find": StepWord("Find cameras", "Find", "/first-steps/find"),
    "adopt": StepWord("Decide what is yours", "Decide", "/first-steps/adopt"),
    "login": StepWord("A login for them", "Login", "/first-steps/login"),
    "assess": StepWord("Examine them", "Examine", "/first-steps/assess"),
}

STANDINGS = {
    "": Word("New", "circle-dot", "accent", "Nobody has decided yet whether it is looked after."),
    "adopted": Word("Adopted", "check", "pass", "It is looked after: scanned with its login, changed by plans."),
    "quarantined": Word("In quarantine", "lock", "medium", "Only looked at from outside: no login is sent to it."),
    "ignored": Word("Ignored", "dash", "quiet", "Somebody else's: left out of lists and counts, never logged in to."),
}

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

CAMERA_EVENTS = {
    "found": Word("Found for the first time", "camera", "accent"),
    "gone": Word("Told the last scan nothing", "plug", "unknown"),
    "moved": Word("Answered at another address", "arrow", "low"),
    "updated": Word("Has other firmware", "box", "low"),
    "displaced": Word("Another unit answers at its address", "triangle", "fail"),
    "replaced": Word("Answers where another camera was", "arrow", "low"),
    "ai-drifted": Word("Its AI drifted", "eye", "fail"),
    "ai-steady": Word("Its AI is steady again", "eye", "pass"),
}

EXPECTED = {
    "found": Word("Found", "check", "pass"),
    "other": Word("Another unit answers there", "triangle", "fail"),
    "elsewhere": Word("Known at another address", "arrow", "low"),
    "missing": Word("No scan has found it", "question", "unknown"),
}

SEARCH_KINDS = {
    "camera": Word("Cameras", "camera", "quiet"),
    "finding": Word("Findings", "flag", "quiet"),
    "site": Word("Sites", "overview", "quiet"),
    "person": Word("People", "key", "quiet"),
    "plan": Word("Plans", "plan", "quiet"),
    "rollout": Word("Rollouts", "box", "quiet"),
    "scan": Word("Scans", "radar", "quiet"),
}

SCAN_STATES = {
    "queued": Word("Waiting to start", "hourglass", "low"),
    "running": Word("Running", "play", "accent"),
    "done": Word("Finished", "check", "pass"),
    "failed": Word("Failed", "cross", "fail"),
    "interrupted": Word("Interrupted", "return", "unknown", "A restart cut it off before it ended."),
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
}

# A fault of a picture: its name, and what to do first.
PICTURE_FAULTS = {
    "obstruction": Word("Covered", "stop", "fail", "Something covers the view: look for a sticker, a plant, a spider."),
    "moved": Word("Looks elsewhere", "arrow", "fail", "Turn the camera back, or approve the new view."),
    "defocus": Word("Not sharp", "disc", "high", "Clean the glass, then focus again."),
    "dark": Word("Too dark", "moon", "fail", "Check lights and exposure, and look for a tight cover."),
    "bright": Word("Washed out", "sun", "high", "Check exposure, and look for a light into the lens."),
    "colour": Word("Wrong colours", "half", "medium", "The infrared filter or the day and night switch is stuck."),
    "noise": Word("Noisy", "radar", "medium", "Check gain and cable; the sensor may be failing."),
    "frozen": Word("Frozen", "lock", "fail", "The same picture again and again: restart the camera."),
    "no-picture": Word("No picture", "plug", "fail", "It gave no picture. Check power, cable and login."),
}

# The light in which a picture was taken; each has a reference view of its own.
LIGHTS = {
    "day": Word("By day", "sun", "quiet"),
    "dusk": Word("At dusk", "half", "quiet"),
    "night-colour": Word("By night, in colour", "moon", "quiet"),
    "night-ir": Word("By night, infrared", "moon", "quiet"),
}

AGES = {
    "fresh": Word("Fresh", "check", "pass", "Taken when it was due."),
    "old": Word("Old", "clock", "medium", "Several checks have brought no new picture."),
    "never": Word("No picture yet", "dash", "quiet", "Look now, or wait for the next round."),
}

INCIDENTS = {
    "open": Word("Open", "circle-dot", "fail"),
    "over": Word("Over", "check", "pass"),
}

DRIFTS = {
    "steady": Word("Steady", "check", "pass"),
    "drifted": Word("Drifted", "triangle", "high", "It sees less, or other things, than it used to."),
    "learning": Word("Learning", "hourglass", "low", "Not enough was counted to expect anything."),
    "not assessable": Word("Not assessable", "question", "unknown"),
}

CAUSES = {
    "picture": Word("The picture", "picture", "high", "Put the picture right first; then watch again."),
    "model": Word("Its model", "wrench", "high", "Firmware, model or settings changed: see what was changed last."),
    "scene": Word("The scene", "eye", "medium", "Other things pass by. If that is to stay, take it as normal."),
    "scene or model": Word("Scene or model", "question", "unknown", "Label some pictures to tell the two apart."),
}

# What the verdict of the picture lets us say about the AI behind it.
GATES = {
    "good": Word("Good", "check", "pass", "What the camera sees can be judged."),
    "bad": Word("Bad", "cross", "fail", "See to the picture first: nothing is said about its AI until then."),
    "unknown": Word(
        "Not judged", "question", "unknown", "Approve a reference view, so that the picture can be judged."
    ),
}

LABELS = {
    "good": Word("Enough labels: recall is good", "check", "pass"),
    "poor": Word("Enough labels: recall is poor", "cross", "fail"),
    "go on": Word("Not enough labels", "hourglass", "unknown", "Some more decide whether recall is good or poor."),
    "undecided": Word("Undecided", "question", "unknown", "Many labels and no clear answer: read the interval."),
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

# Work, by its kind: what it is called, and the words of its states.
JOBS = {
    "scan": Word("Scan", "radar", "quiet", "Cameras are found and judged; nothing is changed."),
    "plan": Word("Plan", "plan", "quiet", "Settings are put right by a baseline, each step proved."),
    "rotation": Word("Password change", "key", "quiet", "Cameras get new passwords, without anybody being locked out."),
    "rollout": Word("Rollout", "box", "quiet", "Firmware or an app goes over the estate, group by group."),
}

PLAN_STATES = {
    "draft": Word("Looking", "eye", "accent", "The cameras are asked how they are; nothing is changed."),
    "awaiting-approval": Word("Awaits approval", "hourglass", "medium", "Read the difference, then approve it."),
    "approved": Word("Approved", "thumb", "low", "Nothing is sent before somebody applies it."),
    "applying": Word("Applying", "play", "accent", "Step by step; each is proved before the next."),
    "done": Word("Done", "check", "pass", "Every camera is as was wanted."),
    "failed": Word("Failed", "cross", "fail", "Not every camera became what was wanted."),
    "stopped": Word("Stopped", "stop", "unknown", "Somebody stopped it; what was done stays done."),
    "undoing": Word("Undoing", "return", "accent", "What it changed is taken back."),
    "undone": Word("Undone", "return", "quiet", "What it changed was taken back."),
    "expired": Word("Expired", "clock", "unknown", "Nobody started it within a day; renew it to look again."),
}

PLAN_CAMERA_STATES = {
    "waiting": Word("Waiting", "hourglass", "quiet", "Nothing was sent to it."),
    "applying": Word("Changing", "play", "accent"),
    "done": Word("Done", "check", "pass"),
    "failed": Word("Failed", "cross", "fail"),
    "stopped": Word("Stopped", "stop", "unknown"),
    "undoing": Word("Undoing", "return", "accent"),
    "undone": Word("Undone", "return", "quiet"),
}

STEP_STATES = {
    "in-order": Word("In order", "check", "pass", "It is as wanted."),
    "unknown": Word("Unknown", "question", "unknown", "It could not be asked; nothing is sent."),
    "not-applicable": Word("Does not apply", "dash", "quiet", "The camera has no such setting."),
    "waiting": Word("To change", "diamond", "medium", "It differs from the baseline."),
    "applying": Word("Changing", "play", "accent", "It may or may not have been sent."),
    "done": Word("Changed, proved", "check", "pass"),
    "stale": Word("Looks different", "return", "unknown", "It is not what the plan saw any more; nothing was sent."),
    "refused": Word("Refused", "lock", "unknown", "By the camera or by us; nothing was changed."),
    "undoing": Word("Undoing", "return", "accent"),
    "undone": Word("Undone", "return", "quiet", "It is as it was before."),
    "failed": Word("Failed", "cross", "fail", "It is not as wanted, and could not be taken back for certain."),
    "skipped": Word("Left alone", "dash", "quiet", "The camera was given up, or stopped, before its turn."),
}

RISKS = {
    "none": Word("No risk to the connection", "check", "quiet"),
    "may-cut-connection": Word("May cut the connection", "plug", "high", "A way in is proved before it stays."),
}

ROTATION_STATES = {
    "running": Word("Changing", "play", "accent"),
    "unclear": Word("Unclear", "question", "unknown", "A camera may have either password; both are kept."),
    "done": Word("Done", "check", "pass", "Every camera takes the new password, and refuses the old one."),
    "partly": Word("Partly done", "half", "medium", "Some cameras kept the old password."),
    "undone": Word("Not changed", "return", "quiet", "The cameras kept the old password."),
}

ROTATION_CAMERA_STATES = {
    "planned": Word("Waiting", "hourglass", "quiet", "Nothing was sent."),
    "sealed": Word("Sealed", "lock", "low", "The new password is in the vault; nothing was sent."),
    "sending": Word("Sending", "play", "accent", "The camera is told."),
    "sent": Word("Sent", "play", "accent", "The camera was told; it is not proved yet."),
    "proving": Word("Proving", "eye", "accent", "Both passwords are tried, in the order that locks nobody out."),
    "undoing": Word("Putting back", "return", "accent", "The old password is set again."),
    "current": Word("New password", "check", "pass", "It takes the new password and refuses the old one."),
    "undone": Word("Old password", "return", "quiet", "It kept the old password."),
    "unclear": Word("Unclear", "question", "unknown", "It may have either one; both are kept. Reconcile finds out."),
}

ROLLOUT_STATES = {
    "draft": Word("Draft", "circle-dot", "quiet"),
    "awaiting-approval": Word("Awaits approval", "hourglass", "medium", "Read the rules, then approve it."),
    "approved": Word("Approved", "thumb", "low", "Nothing is sent before somebody starts it."),
    "running": Word("Running", "play", "accent"),
    "paused": Word("Paused", "pause", "unknown", "No camera is begun; what was sent comes to its end."),
    "stopped-by-itself": Word("Stopped itself", "octagon", "fail", "Too much went wrong; no camera is begun any more."),
    "aborted": Word("Aborted", "stop", "unknown", "Somebody ended it; what was sent comes to its end."),
    "done": Word("Done", "check", "pass"),
    "undoing": Word("Undoing", "return", "accent", "Cameras go back to the version before, where they can."),
    "undone": Word("Undone", "return", "quiet"),
}

TARGET_STATES = {
    "waiting": Word("Waiting", "hourglass", "quiet"),
    "offline-waiting": Word("Offline, waiting", "plug", "unknown", "It is looked for again."),
    "preflight": Word("Checked first", "eye", "accent", "Whether the image fits, and what it says now."),
    "backed-up": Word("Backed up", "lock", "accent"),
    "sending": Word("Sending", "play", "accent"),
    "sent": Word("Sent", "play", "accent"),
    "restarting": Word("Restarting", "clock", "accent"),
    "proving": Word("Proving", "eye", "accent", "Version, login, picture: as before, or better."),
    "rolling-back": Word("Going back", "return", "accent"),
    "undoing": Word("Undoing", "return", "accent"),
    "succeeded": Word("Proved", "check", "pass"),
    "failed": Word("Failed", "cross", "fail"),
    "rolled-back": Word("Went back", "return", "high", "It has the version that it had before."),
    "kept": Word("Kept the new one", "dash", "quiet", "It cannot go back."),
    "skipped": Word("Left alone", "dash", "quiet"),
    "unknown": Word("Unknown", "question", "unknown", "Nobody knows what it has now. It counts as a failure."),
}

JOB_STATES = {
    "scan": SCAN_STATES,
    "plan": PLAN_STATES,
    "rotation": ROTATION_STATES,
    "rollout": ROLLOUT_STATES,
}

# A job of the queue.
QUEUE_STATES = {
    "queued": Word("Queued", "hourglass", "low", "It begins as soon as there is room for it."),
    "waiting": Word("Waiting", "clock", "low", "It is due later: its next step, or another try."),
    "running": Word("Running", "play", "accent"),
    "paused": Word("Paused", "stop", "unknown", "It goes on when somebody resumes it."),
    "done": Word("Finished", "check", "pass"),
    "failed": Word("Failed", "cross", "fail"),
    "cancelled": Word("Cancelled", "dash", "unknown", "Somebody stopped it, or it was of no use any more."),
}

QUEUE_KINDS = {
    "scan": "Scan",
    "login": "Try of a login",
    "rotation": "Change of a password",
    "pictures": "Picture check",
    "accuracy": "Watch of its own AI",
    "plan": "Plan",
    "plan-look": "Look for a plan",
    "plan-change": "Change by a plan",
    "rollout": "Rollout",
}

# Where the work is shown that a job belongs to, and what it is called there.
WORK_PAGES = {
    "scan": ("/scans/", "its scan"),
    "plan": ("/plans/", "its plan"),
    "rotation": ("/rotations/", "its change of passwords"),
    "rollout": ("/rollouts/", "its rollout"),
}

# What happened to a job of the queue.
QUEUE_EVENTS = {
    "again": "Next step",
    "retry": "Failed, is tried again",
    "put-back": "Put back",
    "finish": "Finished",
    "fail": "Failed",
    "pause": "Paused",
    "resume": "Resumed",
    "cancel": "Cancelled",
    "run-again": "Run again",
    "ask-hurry": "Looks again after this step",
    "ask-pause": "Asked to pause after this step",
    "ask-cancel": "Asked to stop after this step",
}

# An order to a job: what it is called, its icon.
QUEUE_ORDERS = {
    "pause": ("Pause", "stop"),
    "resume": ("Resume", "play"),
    "cancel": ("Cancel", "cross"),
    "run-again": ("Run again", "return"),
}

SCHEDULED = {
    "scan": "Scan",
    "pictures": "Picture checks",
    "accuracy": "Watches of the cameras' own AI",
    "retention": "Forgetting what is old",
}

# What happened to a plan, to a step of it, or to a rollout.
EVENTS = {
    "made": "Planned",
    "created": "Planned",
    "observed": "Looked at",
    "submit": "Handed in",
    "approve": "Approved",
    "start": "Started",
    "pause": "Paused",
    "resume": "Resumed",
    "finish": "Finished",
    "fail": "Failed",
    "stop": "Stopped",
    "abort": "Aborted",
    "undo": "Undo begun",
    "back": "Taken back",
    "all-undone": "Taken back",
    "expire": "Expired",
    "renew": "Renewed",
    "begin": "Sending",
    "already": "Already so",
    "moved": "Looks different",
    "refuse": "Refused",
    "proved": "Proved",
    "disproved": "Not proved",
    "lost": "Lost",
    "reverted": "Came undone",
    "stuck": "Could not be undone",
    "skip": "Left alone",
    "proof": "Assessed again",
    "take-backup": "Backup taken out",
}

BUNDLE_KINDS = {"firmware": "Firmware", "app": "App"}

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
    "viewer": "reads",
    "auditor": "reads, and what was done by whom",
    "integrator": "reads, scans and commissions",
    "operator": "triages, scans, plans, and carries out what is approved",
    "approver": "reads and approves",
    "administrator": "may do everything",
    "service": "a machine: what its tokens name",
}

# The facts of a dossier, in the order in which a reader wants them.
FACTS = {
    "identity": ("Identity", "Who the camera says it is."),
    "clock": ("Clock", "Its time beside ours."),
    "clock_source": ("Time servers", "Where it takes its time from."),
    "accounts": ("Accounts", "The accounts that its ONVIF interface lists."),
    "lockout": ("Wrong passwords", "After how many it locks, and for how long."),
    "anonymous_viewer": ("Without a login", "Whether it is set to show pictures to anybody."),
    "switches": ("Switches", "Services that its maker's interface can switch."),
    "syslog_target": ("Its log", "Where it sends its log."),
    "firmware_state": ("Firmware", "What runs, and whether it stays."),
    "apps": ("Applications", "Programs that were put on it."),
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
    "lock_s": "Locked for (seconds)",
    "rollback_in_s": "Goes back in (seconds)",
    "boot_id": "Boot",
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
