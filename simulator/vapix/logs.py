"""systemlog.cgi: the log as text, framed as the camera frames it."""

from simulator.api import Answer, Call, Page, needs


def _system_log(call: Call) -> Answer:
    host = f"axis-{call.device.plan.serial.lower()}"
    lines = (
        f"2026-07-08T12:25:00.156+02:00 {host} [ INFO    ] systemd[1]: Startup finished",
        f"2026-07-08T12:26:00.264+02:00 {host} [ WARNING ] httpd[412]: Login failed from 192.0.2.66",
    )
    return Answer("\n----- Contents of SYSTEM_LOG -----\n\n\n" + "".join(f"{line}\n" for line in lines))


SYSTEM_LOG = Page(needs("admin"), _system_log)
