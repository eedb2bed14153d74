"""A real OpenID Connect provider on loopback, whose people and answers a test decides."""

import importlib
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

# The provider is built upon a part of Authlib that is on its way out; what its threads warn of is said in our process.
THEIR_WARNINGS = pytest.mark.filterwarnings("ignore:get_jwt_config")


@dataclass(frozen=True, slots=True)
class Running:
    """A provider that listens at `issuer`."""

    issuer: str

    def sign_in(self, address: str, subject: str) -> dict[str, str]:
        """What a browser brings back from there as that person: the query of the address that it is sent to."""
        with httpx.Client(trust_env=False, timeout=10) as browser:
            answer = browser.post(address, data={"sub": subject})
        assert answer.status_code == 302, answer.text[:300]
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


@contextmanager
def provider(people: dict[str, dict[str, Any]]) -> Iterator[Running]:
    """`people` are claims by subject. Whoever uses it is marked with `THEIR_WARNINGS`."""
    with warnings.catch_warnings():
        # Authlib turns its own warnings on again when it is imported; ours must come after that.
        importlib.import_module("authlib.deprecate")
        warnings.simplefilter("ignore")
        mock = importlib.import_module("oidc_provider_mock")

    users = [mock.User(sub=subject, claims=claims) for subject, claims in people.items()]
    with mock.run_server_in_thread(require_nonce=True, user_claims=users) as server:
        yield Running(f"http://localhost:{server.server_port}")
