"""Plays against the real service with pretended cameras: what a play is told when something is not as it should be."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cameras.secret import Secret
from fleet import estate, sites
from fleet.people import tokens
from fleet.people.tokens import Scope
from fleet.service import Service, open_service
from fleet.settings import Settings
from fleet.sites import Site as Place
from tests.ansible.playing import Controller, serving
from tests.fleet.test_plans import Network, stored
from tests.hardening.pretend import PretendCamera

pytestmark = pytest.mark.timeout(180)


@dataclass(frozen=True)
class Site:
    network: Network
    service: Service
    controller: Controller


@pytest.fixture
async def site(
    request: pytest.FixtureRequest, tmp_path: Path, collections: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Site]:
    """Given as an indirect parameter: what the service's plans go by.

    The service's own queue runs them. Plans with a queue of their own beside it would lose jobs to the real ones.
    """
    network = Network({})
    more = getattr(request, "param", {})
    monkeypatch.setattr(
        "fleet.service.Plans",
        lambda store, *_reach_and_prove, **given: network.service(store, queue=given["queue"], **more),
    )
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(open_service(Settings(home=tmp_path / "service")))
        network.cameras |= {row: PretendCamera() for row in await stored(service.store, 3)}
        url, token = await stack.enter_async_context(serving(service))
        home = tmp_path / "controller"
        home.mkdir()
        yield Site(network, service, Controller(home, collections, url, token))


def play_of(*texts: str, hosts: str = "all") -> str:
    """Each text is a task, written as it stands below `tasks:`."""
    listed = "".join(f"    - name: Task {n}\n{_indented(text)}" for n, text in enumerate(texts, 1))
    return f"- name: A play\n  hosts: {hosts}\n  gather_facts: false\n  tasks:\n{listed}"


def _indented(text: str) -> str:
    return "".join(f"      {line}\n" for line in text.strip("\n").split("\n"))


PLAN_TASK = """
camwarden.estate.plan:
  baseline: |
    format: camwarden/baseline/1
    name: quiet
    settings: {discovery-mode: off, telnet-ftp: off}
register: planned
"""
APPLY_TASK = """
camwarden.estate.apply:
  plan: "{{ planned.plan.id }}"
  etag: "{{ planned.plan.etag }}"
  approve: true
"""


async def test_one_plan_serves_the_whole_play_and_each_host_has_its_own_result(site: Site) -> None:
    book = site.controller.file("book.yml", play_of(PLAN_TASK, APPLY_TASK, "meta: clear_host_errors", PLAN_TASK))
    end = await site.controller.play(book, "--diff")
    assert end.code == 0, end.out
    assert len(await site.service.plans.recent()) == 2
    applied = end.of("Task 2")
    assert set(applied) == {"10.0.0.1", "10.0.0.2", "10.0.0.3"} == end.changed
    assert {result["camera"]["address"] for result in applied.values()} == set(applied)
    assert {result["diff"]["before"] for result in applied.values()} == {"discovery: on\ntelnet: on\n"}
    assert [one["would_change"] for one in end.of("Task 4").values()] == [False] * 3
    assert all(len(result["steps"]) == 2 for result in end.of("Task 4").values())


async def test_the_inventory_lists_hosts_groups_and_trusts_no_name(site: Site) -> None:
    row = (await estate.devices(site.service.store, limit=1)).items[0]
    await sites.put(site.service.store, Place("Harbour (east)", ("10.0.0.2/31",)), "anna")
    async with site.service.store.write() as connection:
        evil = "{{ lookup('pipe', 'touch owned') }}"
        await connection.exec_driver_sql("UPDATE cameras SET name = ?, model = ? WHERE id = ?", (evil, evil, row.id))
    site.controller.inventory(
        "plugin: camwarden.estate.estate\npage_size: 2\nkeyed_groups:\n- key: camwarden_port | string\n"
    )
    end = await site.controller.program("ansible-inventory", "-i", "camwarden.yml", "--list")
    assert end.code == 0, end.out
    assert end.out.startswith("{"), end.out
    listed = json.loads(end.out)
    hosts = listed["_meta"]["hostvars"]
    assert set(hosts) == {"10.0.0.1", "10.0.0.2", "10.0.0.3"}
    assert hosts[row.address]["camwarden_id"] == {"__ansible_unsafe": row.id}, "no template, whatever it says"
    assert all("local" in str(one["ansible_connection"]) for one in hosts.values())
    assert listed["severity_high"]["hosts"] == sorted(hosts)
    assert len(listed["model_lookup_pipe_touch_owned"]["hosts"]) == 1
    assert listed["_80"]["hosts"] == sorted(hosts)
    assert listed["site_harbour_east"]["hosts"] == ["10.0.0.2", "10.0.0.3"]
    assert listed["site_none"]["hosts"] == ["10.0.0.1"]

    end = await site.controller.program(
        "ansible", "all", "-i", "camwarden.yml", "-m", "debug", "-a", "var=camwarden_name"
    )
    assert end.code == 0, end.out
    assert not (site.controller.home / "owned").exists()


@pytest.mark.parametrize("down", [False, True], ids=["a service that answers", "a service that is gone"])
async def test_a_cached_inventory_asks_nobody(site: Site, *, down: bool) -> None:
    cache = "cache: true\ncache_plugin: ansible.builtin.jsonfile\ncache_connection: cache\n"
    site.controller.inventory(f"plugin: camwarden.estate.estate\n{cache}")
    first = await site.controller.program("ansible-inventory", "-i", "camwarden.yml", "--graph")
    gone = {"CW_URL": "http://127.0.0.1:9"} if down else {}
    again = await site.controller.program("ansible-inventory", "-i", "camwarden.yml", "--graph", more=gone)
    assert again.out == first.out
    assert "10.0.0.3" in again.out


WRONG: Mapping[str, tuple[str, dict[str, str], str]] = {
    "a token that is wrong or at its end": (PLAN_TASK, {"CW_TOKEN": "cw_aaaaaaaaaaaa." + "x" * 43}, "at its end"),
    "no token": (PLAN_TASK, {"CW_TOKEN": ""}, "give a token"),
    "a service that cannot be reached": (PLAN_TASK, {"CW_URL": "http://127.0.0.1:9"}, "cannot be reached"),
    "plain HTTP to another machine": (PLAN_TASK, {"CW_URL": "http://192.0.2.1"}, "in the clear"),
    "a baseline with a mistake": (PLAN_TASK.replace("off", "of"), {}, "write on or off"),
    "a plan that nobody knows": (APPLY_TASK.replace("{{ planned.plan.id }}", "7"), {}, "no such plan"),
    "a loop": (f"{PLAN_TASK}loop: [1, 2]\n", {}, "takes no loop"),
    "an option that does not exist": (PLAN_TASK.replace("baseline:", "base:"), {}, "base"),
}


@pytest.mark.parametrize(("wrong", "more", "words"), WRONG.values(), ids=WRONG)
async def test_a_play_is_told(site: Site, wrong: str, more: dict[str, str], words: str) -> None:
    wrong = wrong.replace('"{{ planned.plan.etag }}"', '""')
    hosts = site.controller.file("hosts.ini", "10.0.0.1 ansible_connection=local\n")
    book = site.controller.file("book.yml", play_of(wrong))
    end = await site.controller.program("ansible-playbook", "-i", hosts, book, more=more)
    assert end.code == 2, end.out
    said = end.of("Task 1")["10.0.0.1"]
    assert words in json.dumps(said)
    assert "Traceback" not in end.out
    assert site.controller.token.reveal() not in end.out


@pytest.mark.parametrize("playbook", ["gate", "harden"])
async def test_no_playbook_passes_because_there_are_no_cameras(site: Site, playbook: str) -> None:
    """Ansible itself only warns of an inventory that cannot be read, and a play without hosts ends well."""
    end = await site.controller.play(f"camwarden.estate.{playbook}", more={"CW_URL": "http://127.0.0.1:9"})
    assert end.code == 2, end.out
    assert "No camera matches" in end.out
    assert "cannot be reached" in end.out


async def test_a_host_that_the_service_does_not_know_fails_alone(site: Site) -> None:
    hosts = site.controller.file("hosts.ini", "[all:vars]\nansible_connection=local\n[all]\n10.0.0.1\nkitchen\n")
    book = site.controller.file("book.yml", play_of(PLAN_TASK, APPLY_TASK))
    end = await site.controller.program("ansible-playbook", "-i", hosts, book)
    assert end.code == 2
    assert "host kitchen is not known to the service" in end.of("Task 1")["kitchen"]["msg"]
    assert {host: result["how"] for host, result in end.of("Task 2").items()} == {"10.0.0.1": "ok"}
    assert [len(one.sent) for one in site.network.cameras.values()] == [2, 0, 0]


ONCE = "run_once: true\n"
TOLD = """
ansible.builtin.debug:
  msg: "{{ planned.hosts[inventory_hostname].drift }}"
"""


async def test_a_task_that_runs_once_answers_for_all_hosts(site: Site) -> None:
    apply = APPLY_TASK + "register: applied\n" + ONCE
    book = site.controller.file("book.yml", play_of(PLAN_TASK + ONCE, TOLD, apply))
    predicted = await site.controller.play("--check", "--diff", book)
    assert predicted.code == 0, predicted.out
    (said,) = predicted.of("Task 3").values()
    assert len(said["hosts"]) == len(said["diff"]) == 3
    assert predicted.out.count("+discovery: off") == 3
    assert {tuple(one["msg"]) for one in predicted.of("Task 2").values()} == {("discovery-mode", "telnet-ftp")}
    assert [one.sent for one in site.network.cameras.values()] == [[], [], []]
    end = await site.controller.play(book)
    assert end.code == 0, end.out
    (done,) = end.of("Task 3").values()
    assert all(one["changed"] for one in done["hosts"].values())
    assert [len(one.sent) for one in site.network.cameras.values()] == [2, 2, 2]


async def test_a_task_that_runs_once_fails_for_each_host_by_name(site: Site) -> None:
    (liar, *_) = site.network.cameras.values()
    liar.faults = {"ignored:discovery"}
    book = site.controller.file("book.yml", play_of(PLAN_TASK + ONCE, APPLY_TASK + ONCE))
    end = await site.controller.play(book)
    assert end.code == 2
    (said,) = end.of("Task 2").values()
    assert said["msg"].startswith("1 of 3 hosts: 10.0.0.1: ")
    assert [one.get("failed", False) for one in said["hosts"].values()] == [True, False, False]


async def test_a_plan_that_was_renewed_since_it_was_looked_at_is_stale(site: Site) -> None:
    """Somebody renews it in the console between the two tasks."""
    renew = """
ansible.builtin.uri:
  url: "{{ lookup('env', 'CW_URL') }}/api/v1/plans/{{ planned.plan.id }}/renew"
  method: POST
  headers: {Authorization: "Bearer {{ lookup('env', 'CW_TOKEN') }}"}
  status_code: 202
run_once: true
no_log: true
"""
    book = site.controller.file("book.yml", play_of(PLAN_TASK, renew, APPLY_TASK))
    end = await site.controller.play(book)
    assert end.code == 2
    messages = {result["msg"] for result in end.of("Task 3").values()}
    assert len(messages) == 1
    assert "is stale" in messages.pop()
    assert [one.sent for one in site.network.cameras.values()] == [[], [], []]


async def test_nothing_is_approved_unless_it_is_said(site: Site) -> None:
    book = site.controller.file("book.yml", play_of(PLAN_TASK, APPLY_TASK.replace("approve: true", "approve: false")))
    end = await site.controller.play(book)
    assert end.code == 2
    assert all("awaits approval: approve it in the console" in one["msg"] for one in end.of("Task 2").values())


@pytest.mark.parametrize("site", [{"two_persons": True}], indirect=True)
async def test_where_two_persons_are_wanted_the_same_plan_is_applied_once_another_has_approved_it(site: Site) -> None:
    end = await site.controller.play(site.controller.file("book.yml", play_of(PLAN_TASK, APPLY_TASK)))
    assert end.code == 2
    (plan,) = await site.service.plans.recent()
    for one in end.of("Task 2").values():
        assert f"plan {plan.id} is not approved, and nothing was changed: Whoever made this" in one["msg"]
        assert "ask a second person to approve it" in one["msg"]
        assert "apply this same plan" in one["msg"]
    assert [one.sent for one in site.network.cameras.values()] == [[], [], []]
    await site.service.plans.approve(plan.id, "boris")
    again = APPLY_TASK.replace("{{ planned.plan.id }}", plan.id).replace('  etag: "{{ planned.plan.etag }}"\n', "")
    end = await site.controller.play(site.controller.file("again.yml", play_of(again)))
    assert end.code == 0, end.out
    assert len(end.changed) == 3


async def test_a_plan_for_more_cameras_than_the_play_has_is_refused(site: Site) -> None:
    (first, *_) = (await estate.devices(site.service.store, limit=3)).items
    book = play_of(PLAN_TASK) + play_of(
        APPLY_TASK.replace("planned.", f"hostvars['{first.address}'].planned."), hosts=first.address
    )
    end = await site.controller.play(
        site.controller.file(
            "book.yml", book.replace("Task 1\n      camwarden.estate.apply", "Late\n      camwarden.estate.apply")
        )
    )
    assert end.code == 2
    assert (
        "is also for 2 cameras that are not (or no longer) hosts of this play" in end.of("Late")[first.address]["msg"]
    )


async def test_arguments_that_differ_between_hosts_are_refused(site: Site) -> None:
    differing = PLAN_TASK + "vars: {}\n"
    differing = differing.replace("name: quiet", "name: q{{ inventory_hostname[-1] }}")
    end = await site.controller.play(site.controller.file("book.yml", play_of(differing)))
    assert end.code == 2
    assert "differ between the hosts" in end.out


async def test_a_token_that_may_not_change_is_told_which_scope_it_lacks(site: Site) -> None:
    _, text = await tokens.create(site.service.store, "looks", [Scope.READ, Scope.PLAN], "anna", days=1)
    looking = replace(site.controller, token=Secret(text.reveal()))
    book = site.controller.file("book.yml", play_of(PLAN_TASK, APPLY_TASK))
    end = await looking.play(book)
    assert end.code == 2
    assert all("this token may not do that" in one["msg"] for one in end.of("Task 2").values())


async def test_a_camera_that_lies_fails_its_host_and_no_other(site: Site) -> None:
    (liar, *_) = site.network.cameras.values()
    liar.faults = {"ignored:discovery"}
    verify = PLAN_TASK.replace("plan:", "verify:", 1)
    book = site.controller.file("book.yml", play_of(PLAN_TASK, APPLY_TASK, verify))
    end = await site.controller.play(book)
    assert end.code == 2
    failed = {host: result["msg"] for host, result in end.of("Task 2").items() if result["how"] == "failed"}
    assert len(failed) == 1
    assert "discovery-mode" in "".join(failed.values())
    assert {result["how"] for result in end.of("Task 3").values()} == {"ok"}
    assert set(end.of("Task 3")) == {"10.0.0.1", "10.0.0.2", "10.0.0.3"} - set(failed)
