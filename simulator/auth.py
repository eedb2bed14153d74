"""Who may enter: HTTP and RTSP Digest (RFC 7616; RFC 2069 clients too), Basic, WS-UsernameToken, and the lock-out.

One `Guard` per camera. Web, ONVIF and RTSP share its counter, and its accounts unless the web has its own: wrong tries
in a row at any door lock all of them for half an hour, and a good login starts the counting again.
"""

import base64
import binascii
import hashlib
import hmac
import re
import time
from calendar import timegm
from collections import OrderedDict
from collections.abc import Callable
from enum import Enum

from simulator.plan import CameraPlan, Store

NONCE_LIFE_S = 300
DRIFTED_S = 300
MOST_NAMES = 64
MOST_WSSE_NONCES = 4096

_PARAMETER = re.compile(r'(\w+)=(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_HASHES: dict[str, Callable[[bytes], "hashlib._Hash"]] = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}

_TOKEN = re.compile(rb"<(?:[\w.-]+:)?UsernameToken\b")
_USERNAME = re.compile(rb"<(?:[\w.-]+:)?Username\b[^>]*>\s*([^<]*?)\s*</")
_SECRET = re.compile(rb"<(?:[\w.-]+:)?Password\b([^>]*)>\s*([^<]*?)\s*</")
_NONCE = re.compile(rb"<(?:[\w.-]+:)?Nonce\b[^>]*>\s*([^<]*?)\s*</")
_CREATED = re.compile(
    rb"<(?:[\w.-]+:)?Created\b[^>]*>\s*(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(Z|\+00:00)\s*</"
)


class Entry(Enum):
    """What the guard says."""

    GRANTED = "granted"
    NO_CREDENTIALS = "no credentials"
    STALE = "stale nonce"
    WRONG = "wrong name or password"
    LOCKED = "locked"
    OUT_OF_TIME = "time stamp outside the window"
    REPLAYED = "nonce used before"


class Guard:
    """The accounts and the lock of one camera. `now` is a monotonic clock, `utc` the true time.

    `caller` is the account of the last try that was granted.
    """

    def __init__(
        self,
        plan: CameraPlan,
        realm: str,
        *,
        now: Callable[[], float] = time.monotonic,
        utc: Callable[[], float] = time.time,
    ) -> None:
        self._plan = plan
        self._now = now
        self._utc = utc
        self._passwords: dict[Store, dict[str, str]] = {}
        self._key = hashlib.blake2b(plan.serial.encode(), digest_size=16).digest()
        self._ha1: dict[tuple[Store, str], str] = {}
        self._seen: OrderedDict[bytes, None] = OrderedDict()
        self.realm = realm
        self.algorithm = "MD5"
        self.caller = ""
        self.wrong_tries: dict[str, int] = {}
        self.in_a_row = 0
        self.most_in_a_row = 0
        self.times_locked = 0
        self.granted = 0
        self._locked_until = now() + plan.lock_s if "locked" in plan.quirks else 0.0
        self.learn(plan)

    def learn(self, plan: CameraPlan) -> None:
        """Other accounts from now on; the counters and the lock stay as they are."""
        self._plan = plan
        shared = {account.name: account.password for account in plan.accounts}
        own = plan.web_accounts
        web = shared if own is None else {account.name: account.password for account in own}
        self._passwords = {"onvif": shared, "web": web}
        self._ha1.clear()
        self.algorithm = "SHA-256" if plan.auth == "digest-sha256" else "MD5"

    @property
    def locked(self) -> bool:
        return self._locked_until > 0 and self._now() < self._locked_until

    @property
    def locked_for_s(self) -> int:
        return max(0, round(self._locked_until - self._now())) if self.locked else 0

    @property
    def tries_left(self) -> int:
        return max(0, self._plan.lock_after - self.in_a_row)

    # --- HTTP and RTSP ---

    def challenges(self, *, stale: bool = False, basic: bool = False, digest: bool = True) -> bytes:
        """The WWW-Authenticate header lines of a 401."""
        if not digest:
            return f'WWW-Authenticate: Basic realm="{self.realm}"\r\n'.encode()
        ending = ", stale=true" if stale else ""
        nonce, algorithm = self._nonce(), self.algorithm
        scheme = f'Digest realm="{self.realm}", qop="auth", nonce="{nonce}", algorithm={algorithm}{ending}'
        lines = [f"WWW-Authenticate: {scheme}\r\n"]
        if basic:
            lines.append(f'WWW-Authenticate: Basic realm="{self.realm}"\r\n')
        return "".join(lines).encode()

    def check_http(
        self, header: str | None, method: str, uri: str, *, basic: bool = False, store: Store = "web"
    ) -> Entry:
        """Judges an Authorization header; a scheme that is not offered counts as none."""
        if header is None:
            return self._without_credentials()
        scheme, _, rest = header.partition(" ")
        if scheme.lower() == "digest":
            return self._check_digest(rest, method, uri, store)
        if scheme.lower() == "basic" and basic:
            return self._check_basic(rest, store)
        return self._without_credentials()

    def _check_digest(self, text: str, method: str, uri: str, store: Store) -> Entry:
        said = {key.lower(): quoted or bare for key, quoted, bare in _PARAMETER.findall(text)}
        name = said.get("username", "")
        if self.locked:
            return self._refuse(name)
        if said.get("algorithm", "MD5").upper() != self.algorithm or said.get("uri") != uri:
            return Entry.NO_CREDENTIALS
        if not self._nonce_is_fresh(said.get("nonce", "")):
            return Entry.STALE
        wanted = self._digest(said, (store, name), method, uri)
        if store == "web" and "isapi-clock" in self._plan.quirks and abs(self._plan.clock_offset_s) > DRIFTED_S:
            return self._refuse(name)  # the nonce is too old by the camera's clock, and it counts as a wrong password
        if wanted is None or not hmac.compare_digest(wanted.encode(), said.get("response", "").lower().encode()):
            return self._refuse(name)
        return self._grant(name)

    def _digest(self, said: dict[str, str], account: tuple[Store, str], method: str, uri: str) -> str | None:
        """The right response, or None where there is no such account."""
        store, name = account
        password = self._passwords[store].get(name)
        if password is None:
            return None
        ha1 = self._ha1.get(account)
        if ha1 is None:
            ha1 = self._ha1[account] = self._hash(f"{name}:{self.realm}:{password}")
        ha2 = self._hash(f"{method}:{uri}")
        if "qop" not in said:
            return self._hash(f"{ha1}:{said['nonce']}:{ha2}")
        middle = f"{said['nonce']}:{said.get('nc', '')}:{said.get('cnonce', '')}:{said['qop']}"
        return self._hash(f"{ha1}:{middle}:{ha2}")

    def _hash(self, text: str) -> str:
        return _HASHES[self.algorithm](text.encode("utf-8", "surrogateescape")).hexdigest()

    def _check_basic(self, text: str, store: Store) -> Entry:
        try:
            name, _, password = base64.b64decode(text, validate=True).decode("utf-8", "replace").partition(":")
        except (binascii.Error, ValueError):
            return Entry.NO_CREDENTIALS
        right = self._passwords[store].get(name)
        if self.locked or right is None or not hmac.compare_digest(right.encode(), password.encode()):
            return self._refuse(name)
        return self._grant(name)

    def _nonce(self) -> str:
        """Signed, so that none has to be remembered."""
        stamp = f"{int(self._now()):08x}"
        return stamp + hashlib.blake2b(stamp.encode(), key=self._key, digest_size=8).hexdigest()

    def _nonce_is_fresh(self, nonce: str) -> bool:
        stamp = nonce[:8]
        signature = hashlib.blake2b(stamp.encode(), key=self._key, digest_size=8).hexdigest()
        if not hmac.compare_digest(nonce[8:].encode(), signature.encode()):
            return False
        return int(self._now()) - int(stamp, 16) <= NONCE_LIFE_S

    # --- WS-Security ---

    def check_wsse(self, head: bytes) -> Entry:
        """Judges a UsernameToken in this SOAP header by the camera's own clock; only the digest form is taken."""
        if not _TOKEN.search(head):
            return self._without_credentials()
        name, secret, nonce, created = (p.search(head) for p in (_USERNAME, _SECRET, _NONCE, _CREATED))
        account = name[1].decode("utf-8", "replace") if name else ""
        if self.locked:
            return self._refuse(account)
        if not (secret and nonce and created and b"#PasswordDigest" in secret[1]):
            return Entry.OUT_OF_TIME if secret and b"#PasswordDigest" in secret[1] else self._refuse(account)
        if not self._digest_is_right(account, secret[2], nonce[1], created):
            return self._refuse(account)
        camera_time = self._utc() + self._plan.clock_offset_s
        if created[7] != b"Z" and self._plan.vendor == "hikvision":  # seen there: only the letter is understood
            return Entry.OUT_OF_TIME
        stamp = timegm(tuple(int(part) for part in created.groups()[:6]))
        if abs(stamp - camera_time) > self._plan.wsse_window_s + 1:  # the stamp has whole seconds
            return Entry.OUT_OF_TIME
        if nonce[1] in self._seen:
            return Entry.REPLAYED
        self._seen[nonce[1]] = None
        if len(self._seen) > MOST_WSSE_NONCES:
            self._seen.popitem(last=False)
        return self._grant(account)

    def _digest_is_right(self, account: str, digest: bytes, nonce: bytes, created: re.Match[bytes]) -> bool:
        password = self._passwords["onvif"].get(account)
        if password is None:
            return False
        try:
            salt = base64.b64decode(nonce, validate=True)
        except (binascii.Error, ValueError):
            return False
        stamp = created[0].partition(b">")[2].rpartition(b"<")[0].strip()
        wanted = base64.b64encode(hashlib.sha1(salt + stamp + password.encode()).digest())  # noqa: S324 - the profile's
        return hmac.compare_digest(wanted, digest)

    # --- counting ---

    def _without_credentials(self) -> Entry:
        """A locked camera says so to everybody; only a try with credentials makes it last longer."""
        return Entry.LOCKED if self.locked else Entry.NO_CREDENTIALS

    def _grant(self, name: str) -> Entry:
        self.caller = name
        self.in_a_row = 0
        self.granted += 1
        return Entry.GRANTED

    def _refuse(self, name: str) -> Entry:
        """Counts a wrong try; while locked every try counts too and starts the half hour again."""
        name = name[:64]
        if name in self.wrong_tries or len(self.wrong_tries) < MOST_NAMES:
            self.wrong_tries[name] = self.wrong_tries.get(name, 0) + 1
        if self.locked:
            self._locked_until = self._now() + self._plan.lock_s
            return Entry.LOCKED
        self.in_a_row += 1
        self.most_in_a_row = max(self.most_in_a_row, self.in_a_row)
        if self.in_a_row < self._plan.lock_after:
            return Entry.WRONG
        self.in_a_row = 0
        self.times_locked += 1
        self._locked_until = self._now() + self._plan.lock_s
        return Entry.LOCKED
