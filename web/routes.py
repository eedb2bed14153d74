"""Every address of the console and of the API, and what it asks of its visitor. There is no other way in."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from web.access import Permission
from web.handlers import (
    accuracy,
    api,
    api_pictures,
    api_plans,
    checks,
    commissioning,
    devices,
    door,
    findings,
    images,
    jobs,
    overview,
    plans,
    queue,
    reports,
    rollouts,
    rotations,
    scans,
    schedules,
    settings,
    sites,
)


class Proof(StrEnum):
    """Where a changing request carries the token that shows it was meant."""

    FIELD = "csrf"
    HEADER = "x-csrf-token"


@dataclass(frozen=True, slots=True)
class Route:
    """`proof` is `None` only where the method changes nothing. `takes_photo` lets a larger body in."""

    path: str
    method: str
    handler: Callable[..., Any]
    permission: Permission
    proof: Proof | None = None
    takes_photo: bool = False

    @property
    def is_api(self) -> bool:
        return self.path.startswith("/api/")


PUBLIC, ANYONE = Permission.PUBLIC, Permission.ANYONE
READ, TRIAGE, SCAN = Permission.READ, Permission.TRIAGE, Permission.SCAN
PLAN, CHANGE = Permission.PLAN, Permission.CHANGE
COMMISSION, ADMINISTER = Permission.COMMISSION, Permission.ADMINISTER
FIELD, HEADER = Proof.FIELD, Proof.HEADER

ROUTES = (
    Route("/static/{name}", "GET", door.asset, PUBLIC),
    Route("/set-up", "GET", door.set_up_form, ANYONE),
    Route("/set-up", "POST", door.set_up, ANYONE, FIELD),
    Route("/sign-in", "GET", door.sign_in_form, ANYONE),
    Route("/sign-in", "POST", door.sign_in, ANYONE, FIELD),
    Route("/sign-out", "POST", door.sign_out, READ, FIELD),
    Route("/theme", "POST", door.theme, ANYONE, FIELD),
    Route("/", "GET", overview.show, READ),
    Route("/devices", "GET", devices.show_all, READ),
    Route("/devices.csv", "GET", devices.export, READ),
    Route("/devices/{camera}", "GET", devices.show, READ),
    Route("/sites", "GET", sites.show_all, READ),
    Route("/sites", "POST", sites.put, ADMINISTER, FIELD),
    Route("/sites/remove", "POST", sites.remove, ADMINISTER, FIELD),
    Route("/findings", "GET", findings.show_all, READ),
    Route("/findings", "POST", findings.triage, TRIAGE, FIELD),
    Route("/findings/{finding}", "GET", findings.show, READ),
    Route("/scans", "GET", scans.show_all, READ),
    Route("/scans", "POST", scans.start, SCAN, FIELD),
    Route("/scans/{scan}", "GET", scans.show, READ),
    Route("/scans/{scan}/events", "GET", scans.events, READ),
    Route("/scans/{scan}/stop", "POST", scans.stop, SCAN, FIELD),
    Route("/jobs", "GET", jobs.show_all, READ),
    Route("/jobs/queue", "GET", queue.show_all, READ),
    Route("/jobs/queue/events", "GET", queue.all_events, READ),
    Route("/jobs/queue/{job}", "GET", queue.show, READ),
    Route("/jobs/queue/{job}/events", "GET", queue.events, READ),
    Route("/jobs/queue/{job}/{order}", "POST", queue.carry_out, CHANGE, FIELD),
    Route("/plans", "POST", plans.create, PLAN, FIELD),
    Route("/plans/new", "GET", plans.new, PLAN),
    Route("/plans/{plan}", "GET", plans.show, READ),
    Route("/plans/{plan}/events", "GET", plans.events, READ),
    Route("/plans/{plan}/renew", "POST", plans.renew, PLAN, FIELD),
    Route("/plans/{plan}/{order}", "POST", plans.carry_out, CHANGE, FIELD),
    Route("/rotations", "POST", rotations.start, CHANGE, FIELD),
    Route("/rotations/new", "GET", rotations.new, CHANGE),
    Route("/rotations/{rotation}", "GET", rotations.show, READ),
    Route("/rotations/{rotation}/events", "GET", rotations.events, READ),
    Route("/rotations/{rotation}/reconcile", "POST", rotations.reconcile, CHANGE, FIELD),
    Route("/rollouts", "GET", rollouts.show_all, READ),
    Route("/rollouts", "POST", rollouts.create, CHANGE, FIELD),
    Route("/rollouts/new", "GET", rollouts.new, CHANGE),
    Route("/rollouts/{rollout}", "GET", rollouts.show, READ),
    Route("/rollouts/{rollout}/events", "GET", rollouts.events, READ),
    Route("/rollouts/{rollout}/retry", "POST", rollouts.retry, CHANGE, FIELD),
    Route("/rollouts/{rollout}/{order}", "POST", rollouts.carry_out, CHANGE, FIELD),
    Route("/checks", "GET", checks.show_all, READ),
    Route("/images", "GET", images.show_all, READ),
    Route("/images/check", "POST", images.check_all, CHANGE, FIELD),
    Route("/images/{camera}", "GET", images.show, READ),
    Route("/images/{camera}/check", "POST", images.check, CHANGE, FIELD),
    Route("/images/{camera}/approve", "POST", images.approve, CHANGE, FIELD),
    Route("/images/{camera}/mute", "POST", images.mute, CHANGE, FIELD),
    Route("/images/{camera}/accuracy", "GET", accuracy.show, READ),
    Route("/images/{camera}/accuracy/watch", "POST", accuracy.watch, CHANGE, FIELD),
    Route("/images/{camera}/accuracy/accept", "POST", accuracy.accept, CHANGE, FIELD),
    Route("/reports", "GET", reports.show, READ),
    Route("/reports/estate.{ending}", "GET", reports.download, READ),
    Route("/settings", "GET", settings.show, READ),
    Route("/settings/tokens", "POST", settings.create_token, ADMINISTER, FIELD),
    Route("/settings/tokens/{token}/revoke", "POST", settings.revoke_token, ADMINISTER, FIELD),
    Route("/schedules", "GET", schedules.show_all, READ),
    Route("/schedules", "POST", schedules.put, ADMINISTER, FIELD),
    Route("/schedules/{schedule}/run", "POST", schedules.run, CHANGE, FIELD),
    Route("/schedules/{schedule}/{order}", "POST", schedules.carry_out, ADMINISTER, FIELD),
    Route("/commissioning", "GET", commissioning.show_all, READ),
    Route("/commissioning", "POST", commissioning.start, COMMISSION, FIELD),
    Route("/commissioning/{commissioning}", "GET", commissioning.show, READ),
    Route("/commissioning/{commissioning}/find", "GET", commissioning.find, READ),
    Route("/commissioning/{commissioning}/sign", "POST", commissioning.sign, COMMISSION, FIELD),
    Route("/commissioning/{commissioning}/handover.zip", "GET", commissioning.download, READ),
    Route("/commissioning/{commissioning}/{camera}", "GET", commissioning.show_camera, READ),
    Route("/commissioning/{commissioning}/{camera}/still", "POST", commissioning.take_still, COMMISSION, FIELD),
    Route(
        "/commissioning/{commissioning}/{camera}/rows/{row}",
        "POST",
        commissioning.answer,
        COMMISSION,
        FIELD,
        takes_photo=True,
    ),
    Route("/evidence/{name}", "GET", images.evidence, READ),
    Route("/api/v1/openapi.json", "GET", api.description, READ),
    Route("/api/v1/cameras", "GET", api.cameras, READ),
    Route("/api/v1/cameras/{camera}", "GET", api.camera, READ),
    Route("/api/v1/sites", "GET", sites.listed, READ),
    Route("/api/v1/findings", "GET", api.findings, READ),
    Route("/api/v1/findings/{finding}", "GET", api.finding, READ),
    Route("/api/v1/scans", "GET", api.scans, READ),
    Route("/api/v1/scans", "POST", api.start_scan, SCAN, HEADER),
    Route("/api/v1/scans/{scan}", "GET", api.scan, READ),
    Route("/api/v1/checks", "GET", api.checks, READ),
    Route("/api/v1/baselines", "GET", api_plans.baselines, READ),
    Route("/api/v1/baselines/{baseline}", "GET", api_plans.baseline, READ),
    Route("/api/v1/plans", "GET", api_plans.plans, READ),
    Route("/api/v1/plans", "POST", api_plans.create, PLAN, HEADER),
    Route("/api/v1/plans/{plan}", "GET", api_plans.plan, READ),
    Route("/api/v1/plans/{plan}/cameras", "GET", api_plans.cameras, READ),
    Route("/api/v1/plans/{plan}/events", "GET", api_plans.events, READ),
    Route("/api/v1/plans/{plan}/approve", "POST", api_plans.approve, CHANGE, HEADER),
    Route("/api/v1/plans/{plan}/apply", "POST", api_plans.apply, CHANGE, HEADER),
    Route("/api/v1/plans/{plan}/stop", "POST", api_plans.stop, CHANGE, HEADER),
    Route("/api/v1/plans/{plan}/undo", "POST", api_plans.undo, CHANGE, HEADER),
    Route("/api/v1/plans/{plan}/renew", "POST", api_plans.renew, CHANGE, HEADER),
    Route("/api/v1/pictures", "GET", api_pictures.pictures, READ),
    Route("/api/v1/pictures/{camera}", "GET", api_pictures.picture, READ),
    Route("/api/v1/pictures/{camera}/check", "POST", api_pictures.check, CHANGE, HEADER),
    Route("/api/v1/accuracy/{camera}", "GET", api_pictures.accuracy, READ),
    Route("/api/v1/accuracy/{camera}/watch", "POST", api_pictures.watch, CHANGE, HEADER),
    Route("/api/v1/jobs", "GET", queue.listed, READ),
    Route("/api/v1/jobs/{job}", "GET", queue.get, READ),
    Route("/api/v1/jobs/{job}/events", "GET", queue.stream, READ),
    Route("/api/v1/jobs/{job}/cancel", "POST", queue.cancel, CHANGE, HEADER),
    Route("/api/v1/jobs/{job}/pause", "POST", queue.pause, CHANGE, HEADER),
    Route("/api/v1/jobs/{job}/resume", "POST", queue.resume, CHANGE, HEADER),
    Route("/api/v1/jobs/{job}/run-again", "POST", queue.run_again, CHANGE, HEADER),
    Route("/api/v1/schedules", "GET", schedules.listed, READ),
    Route("/api/v1/schedules", "POST", schedules.add, ADMINISTER, HEADER),
    Route("/api/v1/schedules/{schedule}", "GET", schedules.get, READ),
    Route("/api/v1/schedules/{schedule}", "PUT", schedules.change, ADMINISTER, HEADER),
    Route("/api/v1/schedules/{schedule}", "DELETE", schedules.remove, ADMINISTER, HEADER),
    Route("/api/v1/schedules/{schedule}/run", "POST", schedules.run_now, CHANGE, HEADER),
    Route("/api/v1/reports/estate.{ending}", "GET", reports.download, READ),
)
