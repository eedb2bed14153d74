"""Sessions and lost factors at the command line."""

import json
from pathlib import Path

from fleet.people import accounts as people
from fleet.people.permissions import Role
from fleet.settings import Settings
from fleet.signing_in import sessions
from fleet.signing_in import steps as signing_in
from fleet.signing_in.second_factors import enrolled
from fleet.signing_in.sessions import Asker
from fleet.store import open_store
from tests.cli.running import camwarden

PASSWORD = "correct horse battery staple"


async def test_sessions_are_seen_and_ended_and_lost_factors_taken_away(tmp_path: Path) -> None:
    async with await open_store(Settings(home=tmp_path)) as store:
        person = await people.add_user(store, "ana", PASSWORD, Role.OPERATOR)
        await signing_in.sign_in(store, "ana", PASSWORD, Asker("192.0.2.7", "Firefox on Linux"))
        seen = json.loads((await camwarden(tmp_path, "user", "sessions", "ANA", "--json")).out)
        assert [(one["source"], one["browser"], one["proof"]) for one in seen] == [
            ("192.0.2.7", "Firefox on Linux", "password")
        ]
        assert "Firefox on Linux from 192.0.2.7" in (await camwarden(tmp_path, "user", "sessions", "ana")).out
        ended = await camwarden(tmp_path, "user", "end-sessions", "ana")
        assert (ended.code, "1 ended" in ended.err) == (0, True)
        assert await sessions.sessions_of(store, person.id) == ()
        await enrolled.propose_app(store, person)
        assert (await camwarden(tmp_path, "user", "reset-factors", "ana")).code == 0
        assert await enrolled.proposed_app(store, person) is None
        nobody = await camwarden(tmp_path, "user", "reset-factors", "eve")
        assert (nobody.code, "nobody of that name" in nobody.err) == (2, True)
