import pytest

from scanners.targets import Target, TargetError, TooManyTargets, parse_targets

NAMES = {
    "cam1": ["10.0.0.5"],
    "cam-2.site_b.example": ["10.0.0.6"],
    "both.example": ["2001:db8::7", "10.0.0.7", "10.0.0.7"],
    "six.example": ["2001:db8::8"],
    "nowhere.example": [],
    "everywhere.example": ["0.0.0.0"],  # noqa: S104 - an answer to be refused
}


def resolve(host: str) -> list[str]:
    if host not in NAMES:
        raise OSError("Name or service not known")
    return NAMES[host]


def short(target: Target) -> str:
    """One target as `address port scheme path shared`, with what is None left out."""
    parts = [target.address, target.port, target.scheme, target.path, "shared" if target.shared else None]
    return " ".join(str(part) for part in parts if part is not None)


UNDERSTOOD = {
    "an address": ("10.0.0.5", ["10.0.0.5"]),
    "an address with spaces around it": ("  10.0.0.5 ", ["10.0.0.5"]),
    "an address with a port": ("10.0.0.5:8080", ["10.0.0.5 8080"]),
    "an IPv6 address": ("2001:DB8:0::5", ["2001:db8::5"]),
    "an IPv6 address in brackets": ("[2001:db8::5]", ["2001:db8::5"]),
    "an IPv6 address in brackets with a port": ("[2001:db8::5]:8080", ["2001:db8::5 8080"]),
    "an IPv4 address written as IPv6": ("::ffff:10.0.0.5", ["10.0.0.5"]),
    "a link-local address with its interface": ("fe80::1%eth0", ["fe80::1%eth0"]),
    "a network loses its two edges": ("10.0.0.0/30", ["10.0.0.1", "10.0.0.2"]),
    "a point-to-point network keeps both addresses": ("10.0.0.4/31", ["10.0.0.4", "10.0.0.5"]),
    "a network of one": ("10.0.0.4/32", ["10.0.0.4"]),
    "a network with a netmask": ("10.0.0.0/255.255.255.252", ["10.0.0.1", "10.0.0.2"]),
    "an IPv6 network loses its first address": ("2001:db8::/126", ["2001:db8::1", "2001:db8::2", "2001:db8::3"]),
    "an IPv6 network of one": ("2001:db8::9/128", ["2001:db8::9"]),
    "a short range": ("10.0.0.5-7", ["10.0.0.5", "10.0.0.6", "10.0.0.7"]),
    "a range of one": ("10.0.0.5-5", ["10.0.0.5"]),
    "a long range": ("10.0.0.254-10.0.1.1", ["10.0.0.254", "10.0.0.255", "10.0.1.0", "10.0.1.1"]),
    "a host name": ("cam1", ["10.0.0.5"]),
    "a host name with a port": ("cam-2.site_b.example:81", ["10.0.0.6 81"]),
    "a host name with two families keeps IPv4": ("both.example", ["10.0.0.7"]),
    "a host name with IPv6 only": ("six.example", ["2001:db8::8"]),
    "a plain URL": ("http://10.0.0.5/", ["10.0.0.5 80 http"]),
    "a URL without a slash": ("https://10.0.0.5", ["10.0.0.5 443 https"]),
    "a URL with a port and a path": ("http://cam1:8000/onvif/device", ["10.0.0.5 8000 http /onvif/device"]),
    "a URL with IPv6": ("HTTPS://[2001:db8::5]:8443/x", ["2001:db8::5 8443 https /x"]),
    "a URL with IPv6 and an interface": ("http://[fe80::1%25eth0]/", ["fe80::1%eth0 80 http"]),
}


@pytest.mark.parametrize(("word", "expected"), UNDERSTOOD.values(), ids=UNDERSTOOD)
def test_understands(word: str, expected: list[str]) -> None:
    assert [short(target) for target in parse_targets([word], resolve=resolve)] == expected


TOGETHER = {
    "nothing": ([], []),
    "an address asked for twice": (["10.0.0.6", "10.0.0.5", "10.0.0.6"], ["10.0.0.6", "10.0.0.5"]),
    "a network around an address": (["10.0.0.2", "10.0.0.0/30"], ["10.0.0.2", "10.0.0.1"]),
    "one address in two spellings": (["2001:db8::5", "2001:db8:0:0::5"], ["2001:db8::5"]),
    "a port and the same URL": (["10.0.0.5:80", "http://10.0.0.5/d"], ["10.0.0.5 80 http /d"]),
    "an address and a port of it": (["10.0.0.5", "10.0.0.5:81"], ["10.0.0.5", "10.0.0.5 81"]),
    "two ports share an address": (
        ["10.0.0.5:81", "10.0.0.6:81", "10.0.0.5:82"],
        ["10.0.0.5 81 shared", "10.0.0.6 81", "10.0.0.5 82 shared"],
    ),
    "one port asked for twice is not shared": (["10.0.0.5:81", "10.0.0.5:81"], ["10.0.0.5 81"]),
    "two paths behind one port are two": (
        ["http://10.0.0.5/a", "http://10.0.0.5/b"],
        ["10.0.0.5 80 http /a shared", "10.0.0.5 80 http /b shared"],
    ),
}


@pytest.mark.parametrize(("words", "expected"), TOGETHER.values(), ids=TOGETHER)
def test_keeps_each_target_once_and_in_order(words: list[str], expected: list[str]) -> None:
    assert [short(target) for target in parse_targets(words, resolve=resolve)] == expected


REFUSED = {
    "nothing at all": ("", "write 10.0.0.5"),
    "only spaces": ("  ", "write 10.0.0.5"),
    "a stored name": ("@lobby", "no stored cameras"),
    "an option": ("--script=evil", "not understood"),
    "a short option": ("-oN", "not understood"),
    "an address that is out of range": ("10.0.0.256", "from 0 to 255"),
    "an address with leading zeros, octal to some": ("010.0.0.5", "without leading zeros"),
    "an address with three numbers, four to some": ("10.0.5", "from 0 to 255"),
    "an address as one number": ("167772165", "from 0 to 255"),
    "an address as a hexadecimal number": ("0x0a000005", "from 0 to 255"),
    "such a number in a URL": ("http://167772165/", "from 0 to 255"),
    "an address within a network": ("10.0.0.5/24", "write 10.0.0.0/24 for all of it or 10.0.0.5 for the one"),
    "a network too small to be": ("10.0.0.0/33", "is no network"),
    "an address with a path": ("10.0.0.5/onvif", "http:// before"),
    "a host name with a path": ("cam1/onvif", "http:// before"),
    "a backward range": ("10.0.0.20-5", "runs backwards"),
    "a range that is out of range": ("10.0.0.5-300", "write 10.0.0.5-20"),
    "a range with two ends too many": ("10.0.0.5-6-7", "not understood|four numbers"),
    "a range with a port": ("10.0.0.5-7:80", "not understood|four numbers"),
    "port zero": ("10.0.0.5:0", "a port from 1 to 65535"),
    "a port too high": ("10.0.0.5:65536", "a port from 1 to 65535"),
    "a port that is no number": ("10.0.0.5:http", "a port from 1 to 65535"),
    "a port in Arabic digits": ("10.0.0.5:٨٠", "a port from 1 to 65535"),
    "a port of a thousand digits": ("10.0.0.5:" + "9" * 1000, "a port from 1 to 65535"),
    "a port left out": ("10.0.0.5:", "a port from 1 to 65535"),
    "two ports": ("10.0.0.5:80:81", "not understood"),
    "a port left out in a URL": ("http://10.0.0.5:/", "names no host or no port"),
    "a port too high in a URL": ("http://10.0.0.5:99999/", "is no URL"),
    "a URL without a host": ("http:///onvif", "names no host"),
    "another scheme": ("rtsp://10.0.0.5/", "write http:// or https://"),
    "a scheme that runs code": ("javascript://10.0.0.5/", "write http:// or https://"),
    "a URL with a query": ("http://10.0.0.5/?pwd=hunter2", "leave out everything"),
    "a URL with an empty query": ("http://10.0.0.5/?", "leave out everything"),
    "a URL with a fragment": ("http://10.0.0.5/#hunter2", "leave out everything"),
    "a URL with user info": ("http://admin:hunter2@10.0.0.5/", "credentials file"),
    "a URL with user info and a slash in the password": ("http://admin:hunter2/@10.0.0.5/", "credentials file"),
    "user info without a scheme": ("admin:hunter2@10.0.0.5", "credentials file"),
    "a URL with a line break": ("http://10.0.0.5/a\r\nHost: b", "ASCII|is no URL"),
    "a URL with a space": ("http://10.0.0.5/a b", "ASCII"),
    "a URL with other letters": ("http://10.0.0.5/ä", "ASCII"),
    "a broken bracket": ("[2001:db8::5", "not understood"),
    "a broken bracket in a URL": ("http://[2001:db8::5/", "is no URL"),
    "no IPv6 in the brackets": ("[cam:1]:80", "not understood"),
    "a host name with a space": ("cam 1", "not understood"),
    "a host name with an escape sequence": ("cam\x1b[31m1", "not understood"),
    "a host name that starts with a dash": ("cam1.-evil", "not understood"),
    "a host name that is too long": (".".join(["a" * 60] * 5), "not understood"),
    "an empty label": ("cam1..example", "not understood"),
    "two targets in one word": ("10.0.0.5,10.0.0.6", "not understood|four numbers"),
    "a name that does not resolve": ("absent.example", "write its address"),
    "a name without an address": ("nowhere.example", "write its address"),
    "a name that resolves to no real address": ("everywhere.example", "no camera has"),
    "a multicast address": ("239.255.255.250", "no camera has"),
    "a multicast network": ("239.0.0.0/24", "no camera has"),
    "a range into multicast": ("223.255.255.255-224.0.0.1", "no camera has"),
    "the unspecified address": ("0.0.0.0", "no camera has"),  # noqa: S104 - to be refused
    "the whole internet": ("0.0.0.0/0", "no camera has"),
    "the broadcast address": ("255.255.255.255", "no camera has"),
    "the unspecified IPv6 address": ("::", "no camera has"),
    "a link-local address without its interface": ("fe80::1", "fe80::1%eth0"),
}


@pytest.mark.parametrize(("word", "advice"), REFUSED.values(), ids=REFUSED)
def test_refuses_and_says_what_to_write(word: str, advice: str) -> None:
    with pytest.raises(TargetError, match=advice) as caught:
        parse_targets([word], resolve=resolve)
    message = str(caught.value)
    assert "hunter2" not in message
    assert message.isprintable()
    assert len(message) < 350


COUNTS = {
    "a network": (["10.0.0.0/16"], 4096, 65534),
    "networks together": (["10.0.0.0/21", "10.0.8.0/21"], 4092, None),
    "networks together, one too many": (["10.0.0.0/21", "10.0.8.0/21"], 4091, 4092),
    "an IPv6 network beyond all counting": (["2001:db8::/64"], None, 2**64 - 1),
    "the largest that may be": (["10.0.0.0/11"], None, 2**21 - 2),
}


@pytest.mark.parametrize(("words", "most", "count"), COUNTS.values(), ids=COUNTS)
def test_counts_before_it_lists(words: list[str], most: int | None, count: int | None) -> None:
    if count is None:
        assert len(parse_targets(words, most=most)) == most
        return
    advice = "or confirm" if count <= 2**20 else "in parts"
    with pytest.raises(TooManyTargets, match=f"{count} .* {advice}") as caught:
        parse_targets(words, most=most)
    assert caught.value.count == count


def test_asks_for_a_name_once() -> None:
    asked: list[str] = []

    def counting(host: str) -> list[str]:
        asked.append(host)
        return ["10.0.0.5"]

    parse_targets(["cam1", "cam1", " cam1"], resolve=counting)
    assert asked == ["cam1"]


def test_asks_the_system_for_names() -> None:
    assert [target.address for target in parse_targets(["localhost"])] == ["127.0.0.1"]
