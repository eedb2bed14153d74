"""Every address of the console and of the API, and what it asks of its visitor. There is no other way in."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from fleet.audit.trail import Action
from fleet.people.permissions import Permission
from web.handlers import (
    account,
    accuracy,
    api,
    api_people,
    api_pictures,
    api_plans,
    audit,
    checks,
    commissioning,
    devices,
    door,
    findings,
    images,
    jobs,
    operating,
    overview,
    people,
    person_access,
    plans,
    proving,
    queue,
    reports,
    rollouts,
    rotations,
    scans,
    schedules,
    searching,
    second_step,
    settings,
    sites,
    sso,
    vault,
)


class Proof(StrEnum):
    """Where a changing request carries the token that shows it was meant."""

    FIELD = "csrf"
    HEADER = "x-csrf-token"


@dataclass(frozen=True, slots=True)
class Route:
    """`proof` and `action` are `None` only where the method changes nothing. `takes_photo` lets a larger body in.

    `action` is what the audit trail calls it.
    `whole`: it reads what cannot be shown in part, so that all cameras in it must be the visitor's.
    `proved`: a person must have shown within ten minutes who they are; a machine's token is enough.
    """

    path: str
    method: str
    handler: Callable[..., Any]
    permission: Permission
    proof: Proof | None = None
    action: Action | None = None
    takes_photo: bool = False
    whole: bool = False
    proved: bool = False

    @property
    def is_api(self) -> bool:
        return self.path.startswith("/api/")


PUBLIC, ANYONE = Permission.PUBLIC, Permission.ANYONE
READ, TRIAGE, SCAN = Permission.READ, Permission.TRIAGE, Permission.SCAN
PLAN, APPROVE, CHANGE = Permission.PLAN, Permission.APPROVE, Permission.CHANGE
COMMISSION, AUDIT, ADMINISTER = Permission.COMMISSION, Permission.AUDIT, Permission.ADMINISTER
REVEAL = Permission.REVEAL
FIELD, HEADER = Proof.FIELD, Proof.HEADER
Did = Action

ROUTES = (
    Route("/static/{name}", "GET", door.asset, PUBLIC),
    Route("/healthz", "GET", operating.healthz, PUBLIC),
    Route("/readyz", "GET", operating.readyz, PUBLIC),
    Route("/metrics", "GET", operating.numbers, PUBLIC),
    Route("/set-up", "GET", door.set_up_form, ANYONE),
    Route("/set-up", "POST", door.set_up, ANYONE, FIELD, Did.PERSON_SET_UP),
    Route("/sign-in", "GET", door.sign_in_form, ANYONE),
    Route("/sign-in", "POST", door.sign_in, ANYONE, FIELD, Did.SESSION_SIGN_IN),
    Route("/sign-in/second", "GET", second_step.show, ANYONE),
    Route("/sign-in/second", "POST", second_step.take, ANYONE, FIELD, Did.SESSION_SIGN_IN),
    Route("/sign-in/enrol", "GET", second_step.show_enrol, ANYONE),
    Route("/sign-in/enrol", "POST", second_step.enrol, ANYONE, FIELD, Did.FACTOR_ADD),
    Route("/sign-in/sso", "GET", sso.begin, ANYONE),
    Route(sso.BACK, "GET", sso.back, ANYONE),
    Route("/prove", "GET", proving.show, READ),
    Route("/prove", "POST", proving.prove, READ, FIELD, Did.SESSION_PROVE),
    Route("/prove/sso", "GET", sso.prove, READ),
    Route("/account", "GET", account.show, READ),
    Route("/account/offer", "GET", account.offer, READ),
    Route("/account/password", "POST", account.change_password, READ, FIELD, Did.PERSON_PASSWORD),
    Route("/account/sessions/end-others", "POST", account.end_others, READ, FIELD, Did.SESSION_END),
    Route("/account/sessions/{session}/end", "POST", account.end_session, READ, FIELD, Did.SESSION_END),
    Route("/account/app", "GET", account.show_app, READ, proved=True),
    Route("/account/app", "POST", account.add_app, READ, FIELD, Did.FACTOR_ADD, proved=True),
    Route("/account/app/new", "POST", account.new_app, READ, FIELD, Did.FACTOR_ADD, proved=True),
    Route("/account/app/remove", "POST", account.remove_app, READ, FIELD, Did.FACTOR_REMOVE, proved=True),
    Route("/account/keys/new", "GET", account.new_key, READ, proved=True),
    Route("/account/keys", "POST", account.add_key, READ, FIELD, Did.FACTOR_ADD, proved=True),
    Route("/account/keys/{key}/remove", "POST", account.remove_key, READ, FIELD, Did.FACTOR_REMOVE, proved=True),
    Route("/account/recovery-codes", "POST", account.renew_codes, READ, FIELD, Did.FACTOR_RENEW_CODES, proved=True),
    Route("/people/{person}/access", "GET", person_access.show, ADMINISTER),
    Route(
        "/people/{person}/end-sessions",
        "POST",
        person_access.end_sessions,
        ADMINISTER,
        FIELD,
        Did.SESSION_END,
        proved=True,
    ),
    Route(
        "/people/{person}/reset-factors",
        "POST",
        person_access.reset_factors,
        ADMINISTER,
        FIELD,
        Did.FACTOR_RESET,
        proved=True,
    ),
    Route("/sign-out", "POST", door.sign_out, ANYONE, FIELD, Did.SESSION_SIGN_OUT),
    Route("/theme", "POST", door.theme, ANYONE, FIELD, Did.THEME_CHOOSE),
    Route("/", "GET", overview.show, READ),
    Route("/search", "GET", searching.show, READ),
    Route("/devices", "GET", devices.show_all, READ),
    Route("/devices.csv", "GET", devices.export, READ),
    Route("/devices/{camera}", "GET", devices.show, READ),
    Route("/sites", "GET", sites.show_all, READ),
    Route("/sites", "POST", sites.put, ADMINISTER, FIELD, Did.SITE_CHANGE),
    Route("/sites/remove", "POST", sites.remove, ADMINISTER, FIELD, Did.SITE_REMOVE),
    Route("/findings", "GET", findings.show_all, READ),
    Route("/findings", "POST", findings.triage, TRIAGE, FIELD, Did.FINDING_TRIAGE),
    Route("/findings/{finding}", "GET", findings.show, READ),
    Route("/scans", "GET", scans.show_all, READ),
    Route("/scans", "POST", scans.start, SCAN, FIELD, Did.SCAN_START),
    Route("/scans/{scan}", "GET", scans.show, READ),
    Route("/scans/{scan}/events", "GET", scans.events, READ),
    Route("/scans/{scan}/stop", "POST", scans.stop, SCAN, FIELD, Did.SCAN_STOP),
    Route("/jobs", "GET", jobs.show_all, READ),
    Route("/jobs/queue", "GET", queue.show_all, READ),
    Route("/jobs/queue/events", "GET", queue.all_events, READ),
    Route("/jobs/queue/{job}", "GET", queue.show, READ),
    Route("/jobs/queue/{job}/events", "GET", queue.events, READ),
    Route("/jobs/queue/{job}/{order}", "POST", queue.carry_out, CHANGE, FIELD, Did.JOB_ORDER),
    Route("/plans", "POST", plans.create, PLAN, FIELD, Did.PLAN_CREATE),
    Route("/plans/new", "GET", plans.new, PLAN),
    Route("/plans/{plan}", "GET", plans.show, READ),
    Route("/plans/{plan}/events", "GET", plans.events, READ),
    Route("/plans/{plan}/renew", "POST", plans.renew, PLAN, FIELD, Did.PLAN_RENEW),
    Route("/plans/{plan}/approve", "POST", plans.approve, APPROVE, FIELD, Did.PLAN_APPROVE),
    Route("/plans/{plan}/{order}", "POST", plans.carry_out, CHANGE, FIELD, Did.PLAN_ORDER),
    Route("/rotations", "POST", rotations.start, CHANGE, FIELD, Did.ROTATION_START),
    Route("/rotations/new", "GET", rotations.new, CHANGE),
    Route("/rotations/{rotation}", "GET", rotations.show, READ),
    Route("/rotations/{rotation}/events", "GET", rotations.events, READ),
    Route("/rotations/{rotation}/reconcile", "POST", rotations.reconcile, CHANGE, FIELD, Did.ROTATION_RECONCILE),
    Route("/rollouts", "GET", rollouts.show_all, READ),
    Route("/rollouts", "POST", rollouts.create, CHANGE, FIELD, Did.ROLLOUT_CREATE),
    Route("/rollouts/new", "GET", rollouts.new, CHANGE),
    Route("/rollouts/{rollout}", "GET", rollouts.show, READ),
    Route("/rollouts/{rollout}/events", "GET", rollouts.events, READ),
    Route("/rollouts/{rollout}/retry", "POST", rollouts.retry, CHANGE, FIELD, Did.ROLLOUT_RETRY),
    Route("/rollouts/{rollout}/approve", "POST", rollouts.approve, APPROVE, FIELD, Did.ROLLOUT_APPROVE, proved=True),
    Route("/rollouts/{rollout}/{order}", "POST", rollouts.carry_out, CHANGE, FIELD, Did.ROLLOUT_ORDER),
    Route("/checks", "GET", checks.show_all, READ),
    Route("/images", "GET", images.show_all, READ),
    Route("/images/check", "POST", images.check_all, CHANGE, FIELD, Did.PICTURE_CHECK),
    Route("/images/{camera}", "GET", images.show, READ),
    Route("/images/{camera}/check", "POST", images.check, CHANGE, FIELD, Did.PICTURE_CHECK),
    Route("/images/{camera}/approve", "POST", images.approve, CHANGE, FIELD, Did.PICTURE_APPROVE),
    Route("/images/{camera}/mute", "POST", images.mute, CHANGE, FIELD, Did.PICTURE_MUTE),
    Route("/images/{camera}/accuracy", "GET", accuracy.show, READ),
    Route("/images/{camera}/accuracy/watch", "POST", accuracy.watch, CHANGE, FIELD, Did.ACCURACY_WATCH),
    Route("/images/{camera}/accuracy/accept", "POST", accuracy.accept, CHANGE, FIELD, Did.ACCURACY_ACCEPT),
    Route("/reports", "GET", reports.show, READ),
    Route("/reports/estate.{ending}", "GET", reports.download, READ),
    Route("/settings", "GET", settings.show, READ),
    Route("/settings/vault", "GET", vault.show_all, REVEAL),
    Route("/settings/vault/{camera}", "GET", vault.show, REVEAL),
    Route("/settings/vault/{camera}/reveal", "POST", vault.reveal, REVEAL, FIELD, Did.VAULT_REVEAL, proved=True),
    Route("/settings/audit", "GET", audit.show, AUDIT),
    Route("/settings/audit/check", "POST", audit.begin_check, AUDIT, FIELD, Did.AUDIT_CHECK),
    Route("/settings/audit/export", "GET", audit.export, AUDIT),
    Route("/settings/people", "GET", people.show, AUDIT),
    Route("/settings/people", "POST", people.add, ADMINISTER, FIELD, Did.PERSON_ADD, proved=True),
    Route("/settings/people/{person}/grants", "POST", people.grant, ADMINISTER, FIELD, Did.GRANT_GIVE, proved=True),
    Route(
        "/settings/people/{person}/disable", "POST", people.disable, ADMINISTER, FIELD, Did.PERSON_DISABLE, proved=True
    ),
    Route("/settings/people/{person}/enable", "POST", people.enable, ADMINISTER, FIELD, Did.PERSON_ENABLE, proved=True),
    Route("/settings/grants/{grant}/end", "POST", people.end, ADMINISTER, FIELD, Did.GRANT_END, proved=True),
    Route("/settings/tokens", "POST", people.create_token, ADMINISTER, FIELD, Did.TOKEN_CREATE, proved=True),
    Route("/settings/tokens/{token}/revoke", "POST", people.revoke_token, ADMINISTER, FIELD, Did.TOKEN_REVOKE),
    Route("/schedules", "GET", schedules.show_all, READ),
    Route("/schedules", "POST", schedules.put, ADMINISTER, FIELD, Did.SCHEDULE_PUT),
    Route("/schedules/{schedule}/run", "POST", schedules.run, CHANGE, FIELD, Did.SCHEDULE_RUN),
    Route("/schedules/{schedule}/{order}", "POST", schedules.carry_out, ADMINISTER, FIELD, Did.SCHEDULE_ORDER),
    Route("/commissioning", "GET", commissioning.show_all, READ),
    Route("/commissioning", "POST", commissioning.start, COMMISSION, FIELD, Did.COMMISSIONING_START),
    Route("/commissioning/{commissioning}", "GET", commissioning.show, READ),
    Route("/commissioning/{commissioning}/find", "GET", commissioning.find, READ),
    Route("/commissioning/{commissioning}/sign", "POST", commissioning.sign, COMMISSION, FIELD, Did.COMMISSIONING_SIGN),
    Route("/commissioning/{commissioning}/handover.zip", "GET", commissioning.download, READ, whole=True),
    Route("/commissioning/{commissioning}/{camera}", "GET", commissioning.show_camera, READ),
    Route(
        "/commissioning/{commissioning}/{camera}/still",
        "POST",
        commissioning.take_still,
        COMMISSION,
        FIELD,
        Did.COMMISSIONING_STILL,
    ),
    Route(
        "/commissioning/{commissioning}/{camera}/rows/{row}",
        "POST",
        commissioning.answer,
        COMMISSION,
        FIELD,
        Did.COMMISSIONING_ANSWER,
        takes_photo=True,
    ),
    Route("/evidence/{picture}", "GET", images.evidence, READ),
    Route("/api/v1/me", "GET", account.me, READ),
    Route("/api/v1/openapi.json", "GET", api.description, READ),
    Route("/api/v1/cameras", "GET", api.cameras, READ),
    Route("/api/v1/cameras/{camera}", "GET", api.camera, READ),
    Route("/api/v1/sites", "GET", sites.listed, READ),
    Route("/api/v1/findings", "GET", api.findings, READ),
    Route("/api/v1/findings/{finding}", "GET", api.finding, READ),
    Route("/api/v1/scans", "GET", api.scans, READ),
    Route("/api/v1/scans", "POST", api.start_scan, SCAN, HEADER, Did.SCAN_START),
    Route("/api/v1/scans/{scan}", "GET", api.scan, READ),
    Route("/api/v1/checks", "GET", api.checks, READ),
    Route("/api/v1/baselines", "GET", api_plans.baselines, READ),
    Route("/api/v1/baselines/{baseline}", "GET", api_plans.baseline, READ),
    Route("/api/v1/plans", "GET", api_plans.plans, READ),
    Route("/api/v1/plans", "POST", api_plans.create, PLAN, HEADER, Did.PLAN_CREATE),
    Route("/api/v1/plans/{plan}", "GET", api_plans.plan, READ),
    Route("/api/v1/plans/{plan}/cameras", "GET", api_plans.cameras, READ),
    Route("/api/v1/plans/{plan}/events", "GET", api_plans.events, READ),
    Route("/api/v1/plans/{plan}/approve", "POST", api_plans.approve, APPROVE, HEADER, Did.PLAN_APPROVE),
    Route("/api/v1/plans/{plan}/apply", "POST", api_plans.apply, CHANGE, HEADER, Did.PLAN_START),
    Route("/api/v1/plans/{plan}/stop", "POST", api_plans.stop, CHANGE, HEADER, Did.PLAN_STOP),
    Route("/api/v1/plans/{plan}/undo", "POST", api_plans.undo, CHANGE, HEADER, Did.PLAN_UNDO),
    Route("/api/v1/plans/{plan}/renew", "POST", api_plans.renew, CHANGE, HEADER, Did.PLAN_RENEW),
    Route("/api/v1/pictures", "GET", api_pictures.pictures, READ),
    Route("/api/v1/pictures/{camera}", "GET", api_pictures.picture, READ),
    Route("/api/v1/pictures/{camera}/check", "POST", api_pictures.check, CHANGE, HEADER, Did.PICTURE_CHECK),
    Route("/api/v1/accuracy/{camera}", "GET", api_pictures.accuracy, READ),
    Route("/api/v1/accuracy/{camera}/watch", "POST", api_pictures.watch, CHANGE, HEADER, Did.ACCURACY_WATCH),
    Route("/api/v1/jobs", "GET", queue.listed, READ),
    Route("/api/v1/jobs/{job}", "GET", queue.get, READ),
    Route("/api/v1/jobs/{job}/events", "GET", queue.stream, READ),
    Route("/api/v1/jobs/{job}/cancel", "POST", queue.cancel, CHANGE, HEADER, Did.JOB_CANCEL),
    Route("/api/v1/jobs/{job}/pause", "POST", queue.pause, CHANGE, HEADER, Did.JOB_PAUSE),
    Route("/api/v1/jobs/{job}/resume", "POST", queue.resume, CHANGE, HEADER, Did.JOB_RESUME),
    Route("/api/v1/jobs/{job}/run-again", "POST", queue.run_again, CHANGE, HEADER, Did.JOB_RUN_AGAIN),
    Route("/api/v1/schedules", "GET", schedules.listed, READ),
    Route("/api/v1/schedules", "POST", schedules.add, ADMINISTER, HEADER, Did.SCHEDULE_PUT),
    Route("/api/v1/schedules/{schedule}", "GET", schedules.get, READ),
    Route("/api/v1/schedules/{schedule}", "PUT", schedules.change, ADMINISTER, HEADER, Did.SCHEDULE_PUT),
    Route("/api/v1/schedules/{schedule}", "DELETE", schedules.remove, ADMINISTER, HEADER, Did.SCHEDULE_REMOVE),
    Route("/api/v1/schedules/{schedule}/run", "POST", schedules.run_now, CHANGE, HEADER, Did.SCHEDULE_RUN),
    Route("/api/v1/search", "GET", searching.search, READ),
    Route("/api/v1/changes", "GET", searching.changes, READ),
    Route("/api/v1/audit", "GET", audit.listed, AUDIT),
    Route("/api/v1/audit/check", "GET", audit.check_view, AUDIT),
    Route("/api/v1/audit/check", "POST", audit.check, AUDIT, HEADER, Did.AUDIT_CHECK),
    Route("/api/v1/people", "GET", api_people.listed, AUDIT),
    Route("/api/v1/people", "POST", api_people.add, ADMINISTER, HEADER, Did.PERSON_ADD, proved=True),
    Route("/api/v1/people/{person}", "GET", api_people.person, AUDIT),
    Route(
        "/api/v1/people/{person}/disable",
        "POST",
        api_people.disable,
        ADMINISTER,
        HEADER,
        Did.PERSON_DISABLE,
        proved=True,
    ),
    Route(
        "/api/v1/people/{person}/enable", "POST", api_people.enable, ADMINISTER, HEADER, Did.PERSON_ENABLE, proved=True
    ),
    Route("/api/v1/people/{person}/grants", "POST", api_people.grant, ADMINISTER, HEADER, Did.GRANT_GIVE, proved=True),
    Route(
        "/api/v1/people/{person}/grants/{grant}/end",
        "POST",
        api_people.end,
        ADMINISTER,
        HEADER,
        Did.GRANT_END,
        proved=True,
    ),
    Route("/api/v1/tokens", "GET", api_people.keys, AUDIT),
    Route("/api/v1/tokens", "POST", api_people.create_token, ADMINISTER, HEADER, Did.TOKEN_CREATE, proved=True),
    Route("/api/v1/tokens/{token}/revoke", "POST", api_people.revoke_token, ADMINISTER, HEADER, Did.TOKEN_REVOKE),
    Route("/api/v1/reports/estate.{ending}", "GET", reports.download, READ),
)
