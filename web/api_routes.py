"""Every address of the REST API. What it may be asked, and what it answers, is described from this table."""

from fleet.audit.trail import Action as Did
from fleet.people.permissions import Permission
from web.handlers import (
    api,
    api_account,
    api_audit,
    api_commissioning,
    api_jobs,
    api_people,
    api_pictures,
    api_places,
    api_plans,
    api_rollouts,
    api_schedules,
    api_vault,
    api_work,
    audit,
    commissioning,
    images,
    reports,
    searching,
)
from web.route import EVENTS, JSON, Handler, Proof, Route

READ, TRIAGE, SCAN = Permission.READ, Permission.TRIAGE, Permission.SCAN
PLAN, APPROVE, CHANGE = Permission.PLAN, Permission.APPROVE, Permission.CHANGE
COMMISSION, AUDIT, ADMINISTER = Permission.COMMISSION, Permission.AUDIT, Permission.ADMINISTER
REVEAL = Permission.REVEAL
CREATED, ACCEPTED, NOTHING = 201, 202, 204
REPORTS = ("text/html", "text/csv", "application/json", "application/sarif+json", "application/xml")


def _get(
    path: str,
    handler: Handler,
    permission: Permission = READ,
    *,
    media: tuple[str, ...] = (JSON,),
    whole: bool = False,
    person: bool = False,
) -> Route:
    return Route(f"/api/v1/{path}", "GET", handler, permission, media=media, whole=whole, person=person)


def _do(
    path: str,
    handler: Handler,
    permission: Permission,
    did: Did,
    *,
    method: str = "POST",
    status: int = 200,
    once: bool = False,
    proved: bool = False,
    person: bool = False,
) -> Route:
    """An order."""
    return Route(
        f"/api/v1/{path}",
        method,
        handler,
        permission,
        Proof.HEADER,
        did,
        status=status,
        once=once,
        proved=proved,
        person=person,
    )


def _events(path: str, handler: Handler) -> Route:
    return _get(path, handler, media=(EVENTS,))


API = (
    _get("openapi.json", api.description),
    # --- who asks ---
    _get("me", api_account.me),
    _get("me/sessions", api_account.own_sessions, person=True),
    _do("me/sessions", api_account.end_others, READ, Did.SESSION_END, method="DELETE", person=True),
    _do(
        "me/sessions/{session}",
        api_account.end_own,
        READ,
        Did.SESSION_END,
        method="DELETE",
        person=True,
        status=NOTHING,
    ),
    # --- the estate ---
    _get("overview", api.overview),
    _get("search", searching.search),
    _get("changes", searching.changes),
    _get("not-evaluated", api.not_evaluated),
    _get("cameras", api.cameras),
    _do("decisions", api.decide, CHANGE, Did.CAMERA_DECIDE),
    _get("cameras/{camera}", api.camera),
    _get("cameras/{camera}/history", api.camera_history),
    _get("cameras/{camera}/happenings", api.camera_happenings),
    _get("cameras/{camera}/work", api.camera_work),
    _get("findings", api.findings),
    _do("triage", api.triage, TRIAGE, Did.FINDING_TRIAGE),
    _get("findings/{finding}", api.finding),
    _get("findings/{finding}/history", api.finding_history),
    _get("checks", api.checks),
    _get("reports/estate.{ending}", reports.download, media=REPORTS),
    _get("sites", api_places.listed),
    _do("sites", api_places.add, ADMINISTER, Did.SITE_CHANGE, status=CREATED, once=True),
    _get("sites/{site}", api_places.get),
    _do("sites/{site}", api_places.change, ADMINISTER, Did.SITE_CHANGE, method="PUT"),
    _do("sites/{site}", api_places.remove, ADMINISTER, Did.SITE_REMOVE, method="DELETE", status=NOTHING),
    # --- work ---
    _get("work", api_work.everything),
    _get("scans", api_work.scans),
    _do("scans", api_work.start_scan, SCAN, Did.SCAN_START, status=ACCEPTED, once=True),
    _get("scans/{scan}", api_work.scan),
    _events("scans/{scan}/events", api_work.scan_events),
    _do("scans/{scan}/stop", api_work.stop_scan, SCAN, Did.SCAN_STOP),
    _get("jobs", api_jobs.listed),
    _get("jobs/counts", api_jobs.counts),
    _events("jobs/events", api_jobs.counts_events),
    _get("jobs/{job}", api_jobs.get),
    _get("jobs/{job}/history", api_jobs.history),
    _events("jobs/{job}/events", api_jobs.stream),
    _do("jobs/{job}/cancel", api_jobs.cancel, CHANGE, Did.JOB_CANCEL),
    _do("jobs/{job}/pause", api_jobs.pause, CHANGE, Did.JOB_PAUSE),
    _do("jobs/{job}/resume", api_jobs.resume, CHANGE, Did.JOB_RESUME),
    _do("jobs/{job}/run-again", api_jobs.run_again, CHANGE, Did.JOB_RUN_AGAIN),
    _get("schedules", api_schedules.listed),
    _do("schedules", api_schedules.add, ADMINISTER, Did.SCHEDULE_PUT, status=CREATED, once=True),
    _get("schedules/{schedule}", api_schedules.get),
    _do("schedules/{schedule}", api_schedules.change, ADMINISTER, Did.SCHEDULE_PUT, method="PUT"),
    _do("schedules/{schedule}", api_schedules.remove, ADMINISTER, Did.SCHEDULE_REMOVE, method="DELETE"),
    _do("schedules/{schedule}/run", api_schedules.run_now, CHANGE, Did.SCHEDULE_RUN),
    # --- hardening ---
    _get("baselines", api_plans.baselines),
    _get("baselines/{baseline}", api_plans.baseline),
    _get("plans", api_plans.plans),
    _do("plans", api_plans.create, PLAN, Did.PLAN_CREATE, status=ACCEPTED, once=True),
    _get("plans/{plan}", api_plans.plan),
    _get("plans/{plan}/cameras", api_plans.cameras),
    _get("plans/{plan}/history", api_plans.history),
    _events("plans/{plan}/events", api_plans.events),
    _do("plans/{plan}/approve", api_plans.approve, APPROVE, Did.PLAN_APPROVE),
    _do("plans/{plan}/apply", api_plans.apply, CHANGE, Did.PLAN_START, status=ACCEPTED, once=True),
    _do("plans/{plan}/stop", api_plans.stop, CHANGE, Did.PLAN_STOP),
    _do("plans/{plan}/undo", api_plans.undo, CHANGE, Did.PLAN_UNDO, status=ACCEPTED, once=True),
    _do("plans/{plan}/renew", api_plans.renew, CHANGE, Did.PLAN_RENEW, status=ACCEPTED, once=True),
    _get("rotations", api_work.rotations),
    _do("rotations", api_work.start_rotation, CHANGE, Did.ROTATION_START, status=ACCEPTED, once=True),
    _get("rotations/{rotation}", api_work.rotation),
    _events("rotations/{rotation}/events", api_work.rotation_events),
    _do("rotations/{rotation}/reconcile", api_work.reconcile, CHANGE, Did.ROTATION_RECONCILE, status=ACCEPTED),
    _get("bundles", api_rollouts.known_bundles),
    _get("rollouts", api_rollouts.rollouts),
    _do("rollouts", api_rollouts.create, CHANGE, Did.ROLLOUT_CREATE, status=CREATED, once=True),
    _get("rollouts/{rollout}", api_rollouts.rollout),
    _get("rollouts/{rollout}/groups", api_rollouts.groups),
    _get("rollouts/{rollout}/cameras", api_rollouts.cameras),
    _get("rollouts/{rollout}/history", api_rollouts.history),
    _events("rollouts/{rollout}/events", api_rollouts.events),
    _do("rollouts/{rollout}/approve", api_rollouts.approve, APPROVE, Did.ROLLOUT_APPROVE, proved=True),
    _do("rollouts/{rollout}/start", api_rollouts.start, CHANGE, Did.ROLLOUT_START),
    _do("rollouts/{rollout}/pause", api_rollouts.pause, CHANGE, Did.ROLLOUT_PAUSE),
    _do("rollouts/{rollout}/resume", api_rollouts.resume, CHANGE, Did.ROLLOUT_RESUME),
    _do("rollouts/{rollout}/abort", api_rollouts.abort, CHANGE, Did.ROLLOUT_STOP),
    _do("rollouts/{rollout}/undo", api_rollouts.undo, CHANGE, Did.ROLLOUT_UNDO),
    _do("rollouts/{rollout}/cameras/{camera}/retry", api_rollouts.retry, CHANGE, Did.ROLLOUT_RETRY),
    # --- pictures, and the cameras' own AI ---
    _get("pictures", api_pictures.pictures),
    _get("pictures/summary", api_pictures.summary),
    _get("pictures/incidents", api_pictures.incidents),
    _do("picture-checks", api_pictures.check_these, CHANGE, Did.PICTURE_CHECK, status=ACCEPTED),
    _get("pictures/{camera}", api_pictures.picture),
    _get("pictures/{camera}/history", api_pictures.history),
    _get("pictures/{camera}/earlier", api_pictures.earlier),
    _do("pictures/{camera}/check", api_pictures.check, CHANGE, Did.PICTURE_CHECK),
    _do("pictures/{camera}/approve", api_pictures.approve, CHANGE, Did.PICTURE_APPROVE),
    _do("pictures/{camera}/mute", api_pictures.mute, CHANGE, Did.PICTURE_MUTE),
    _get("evidence/{picture}", images.evidence, media=("image/jpeg", "image/png", "image/webp")),
    _get("accuracy/{camera}", api_pictures.accuracy),
    _get("accuracy/{camera}/watches", api_pictures.watches),
    _get("accuracy/{camera}/hours", api_pictures.hours),
    _do("accuracy/{camera}/watch", api_pictures.watch, CHANGE, Did.ACCURACY_WATCH, status=ACCEPTED, once=True),
    _do("accuracy/{camera}/accept", api_pictures.accept, CHANGE, Did.ACCURACY_ACCEPT),
    # --- commissioning ---
    _get("commissioning", api_commissioning.listed),
    _do("commissioning", api_commissioning.start, COMMISSION, Did.COMMISSIONING_START, status=CREATED, once=True),
    _get("commissioning/templates", api_commissioning.templates),
    _get("commissioning/{commissioning}", api_commissioning.get),
    _do("commissioning/{commissioning}/sign", api_commissioning.sign, COMMISSION, Did.COMMISSIONING_SIGN),
    _get("commissioning/{commissioning}/handover.zip", commissioning.download, whole=True, media=("application/zip",)),
    _get("commissioning/{commissioning}/cameras/{camera}", api_commissioning.camera),
    _do(
        "commissioning/{commissioning}/cameras/{camera}/still",
        api_commissioning.still,
        COMMISSION,
        Did.COMMISSIONING_STILL,
    ),
    _do(
        "commissioning/{commissioning}/cameras/{camera}/rows/{row}",
        api_commissioning.answer,
        COMMISSION,
        Did.COMMISSIONING_ANSWER,
    ),
    # --- settings, the vault, the audit trail ---
    _get("settings", api_places.settings),
    _get("retention", api_places.kept),
    _get("vault", api_vault.listed, REVEAL),
    _get("vault/{camera}", api_vault.of_camera, REVEAL),
    _do("vault/{camera}/reveal", api_vault.reveal, REVEAL, Did.VAULT_REVEAL, proved=True),
    _get("audit", api_audit.listed, AUDIT),
    _get("audit/check", api_audit.check_view, AUDIT),
    _do("audit/check", api_audit.check, AUDIT, Did.AUDIT_CHECK),
    _get("audit/checkpoints", api_audit.checkpoints, AUDIT),
    _get("audit/export", audit.export, AUDIT, media=("application/jsonl",)),
    # --- people and machines ---
    _get("people", api_people.listed, AUDIT),
    _do("people", api_people.add, ADMINISTER, Did.PERSON_ADD, proved=True, status=CREATED),
    _get("people/{person}", api_people.person, AUDIT),
    _do("people/{person}/disable", api_people.disable, ADMINISTER, Did.PERSON_DISABLE, proved=True),
    _do("people/{person}/enable", api_people.enable, ADMINISTER, Did.PERSON_ENABLE, proved=True),
    _do("people/{person}/grants", api_people.grant, ADMINISTER, Did.GRANT_GIVE, proved=True, status=CREATED),
    _do("people/{person}/grants/{grant}/end", api_people.end, ADMINISTER, Did.GRANT_END, proved=True),
    _get("people/{person}/factors", api_account.factors, ADMINISTER),
    _do(
        "people/{person}/factors", api_account.reset_factors, ADMINISTER, Did.FACTOR_RESET, method="DELETE", proved=True
    ),
    _get("people/{person}/sessions", api_account.theirs, ADMINISTER),
    _do("people/{person}/sessions", api_account.end_theirs, ADMINISTER, Did.SESSION_END, method="DELETE", proved=True),
    _get("tokens", api_people.keys, AUDIT),
    _do("tokens", api_people.create_token, ADMINISTER, Did.TOKEN_CREATE, proved=True, status=CREATED),
    _get("tokens/{token}", api_people.key, AUDIT),
    _do("tokens/{token}/revoke", api_people.revoke_token, ADMINISTER, Did.TOKEN_REVOKE, status=NOTHING),
)
