"""What can go wrong with a camera, named for what the operator does next.

    DeviceError
    ├── Unreachable    look at cable, power, address or firewall   (refused, reset, timed out, cut off)
    ├── Unauthorized   give other credentials
    ├── LockedOut      wait; every further try makes it longer
    ├── ClockSkewed    set the camera's clock: signed requests are refused until then
    ├── Unsupported    this camera cannot do it; ask another way
    ├── Refused        the camera understood and said no; read its words
    └── Garbled        the answer cannot be understood; look at the raw bytes

Third-party exceptions (httpx, zeep, lxml, ssl) stop at `cameras.http` and `cameras.soap`: above them only this tree
exists. Messages quote the camera's words cleaned by `cameras.untrusted.clean_text` and never carry a secret.
"""


class DeviceError(Exception):
    """Something between us and one camera went wrong. The text is fit to be shown to the operator."""


class Unreachable(DeviceError):
    """No complete answer arrived: refused, reset, timed out, cut off, or TLS failed."""


class Unauthorized(DeviceError):
    """The camera wants (other) credentials."""


class LockedOut(DeviceError):
    """The camera, or our own attempt budget, forbids another login for now."""


class ClockSkewed(DeviceError):
    """The camera refuses signed requests because its clock is off."""


class Unsupported(DeviceError):
    """The camera says that it has no such function."""


class Refused(DeviceError):
    """The camera understood the request and declined it."""


class Garbled(DeviceError):
    """The answer is not what the protocol allows: HTML for XML, cut short, too large, hostile."""
