"""Ansible as a person starts it: a process of its own, with nothing of this machine's configuration."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from cameras.secret import Secret
from fleet.cli.service import Console, address_of, listen
from fleet.people import tokens
from fleet.people.tokens import Scope
from fleet.service import Service

COLLECTION = Path(__file__).parents[2] / "ansible"
PATIENCE_S = 90
NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Played:
    """How it ended, what it printed, and what each task said of each host."""

    code: int
    out: str
    results: list[dict[str, Any]]

    def of(self, task: str) -> dict[str, dict[str, Any]]:
        """The result of a task by host."""
        return {one["host"]: {**one["result"], "how": one["how"]} for one in self.results if task in one["task"]}

    @property
    def changed(self) -> set[str]:
        return {one["host"] for one in self.results if one["result"].get("changed")}


def environment(home: Path, collections: Path) -> dict[str, str]:
    """No proxy, no configuration, no colours: only this machine is spoken to."""
    left_out = ("ANSIBLE", "CAMWARDEN_", "CW_", "HTTP", "ALL_PROXY", "http", "all_proxy", "PYTHONWARNINGS")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
    return {
        **kept,
        "ANSIBLE_COLLECTIONS_PATH": str(collections),
        "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).parent / "callbacks"),
        "ANSIBLE_CALLBACKS_ENABLED": "kept",
        "ANSIBLE_FORKS": "4",
        "ANSIBLE_HOME": str(home),
        "ANSIBLE_INVENTORY_ENABLED": "camwarden.estate.estate,ini,yaml",
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_NOCOLOR": "1",
        "HOME": str(home),
        "KEPT_RESULTS": str(home / "kept.json"),
        "LC_ALL": "C.UTF-8",
        "NO_PROXY": "*",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


@dataclass(frozen=True)
class Controller:
    """A machine with Ansible, the collection, and a token of the service at `url`."""

    home: Path
    collections: Path
    url: str
    token: Secret

    async def program(self, name: str, *words: object, more: Mapping[str, str] = NOTHING) -> Played:
        """Its exit code and output; `ansible-playbook` also leaves results."""
        variables = environment(self.home, self.collections)
        kept = Path(variables["KEPT_RESULTS"])
        await asyncio.to_thread(kept.write_text, "[]")
        process = await asyncio.create_subprocess_exec(
            *(str(Path(sys.executable).parent / name), *map(str, words)),
            env={**variables, "CW_URL": self.url, "CW_TOKEN": self.token.reveal(), **more},
            cwd=self.home,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            out, _ = await asyncio.wait_for(process.communicate(), PATIENCE_S)
        except BaseException:
            process.kill()
            await process.wait()
            raise
        return Played(process.returncode or 0, out.decode(), json.loads(await asyncio.to_thread(kept.read_text)))

    async def play(self, *words: object, more: Mapping[str, str] = NOTHING) -> Played:
        return await self.program("ansible-playbook", "-i", self.inventory(), *words, more=more)

    def inventory(self, text: str = "plugin: camwarden.estate.estate\n") -> Path:
        return self.file("camwarden.yml", text)

    def file(self, name: str, text: str) -> Path:
        (self.home / name).write_text(text)
        return self.home / name


@asynccontextmanager
async def serving(service: Service, *scopes: Scope) -> AsyncIterator[tuple[str, Secret]]:
    """The real console and API on a port of its own, and a token with these scopes."""
    with listen("127.0.0.1", 0) as listening:
        console = Console(service, listening)
        running = asyncio.create_task(console.run())
        try:
            _, token = await tokens.create(service.store, "ansible", scopes or tuple(Scope), "anna", days=1)
            yield address_of(listening, tls=False), token
        finally:
            console.stop()
            await running
