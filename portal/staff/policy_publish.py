"""Putting a version in force, now or later, taking that back, and going back to an older one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask import Response, abort, flash, g, make_response, redirect, render_template, request

from portal import clock
from portal.db import writing
from portal.models.change import Conflict
from portal.models.policy import PolicyVersion, live_version, standing
from portal.sources.sentences import Invalid, wrong
from portal.staff.desk import bp
from portal.staff.policy_edit import as_shown, found
from portal.staff.policy_sentences import by_place, differences, findings
from portal.staff.rights import confirmed, me, needs

MOST_WHY = 1_000


@bp.get("/policy/<int:version>/publication")
@needs("policy")
@confirmed
def policy_publication(version: int) -> Response:
    """What will change and for whom, before it does."""
    return _shown(found(version))


@bp.post("/policy/<int:version>/publication")
@needs("policy")
@confirmed
def policy_publish(version: int) -> Response:
    """Put a draft in force, from now or from a later moment."""

    def act(draft: PolicyVersion, why: str) -> str:
        as_shown(draft)
        now = clock.now()
        since = _since() if request.form.get("when") == "later" else None
        draft.publish(me().who, now, since, why)
        return f"Version {version} is in force." if since is None else f"Version {version} is set."

    return _act(version, act)


@bp.post("/policy/<int:version>/restoration")
@needs("policy")
@confirmed
def policy_restore(version: int) -> Response:
    """Put an older version's rules in force again, as a new version."""

    def act(old: PolicyVersion, why: str) -> str:
        again = old.restore(me().who, clock.now(), why)
        return f"The rules of version {version} are in force again, as version {again.version}."

    return _act(version, act)


@bp.post("/policy/<int:version>/withdrawal")
@needs("policy")
def policy_withdraw(version: int) -> Response:
    """Take back what would have come in force later: it is a draft again."""

    def act(scheduled: PolicyVersion, _why: str) -> str:
        scheduled.withdraw(me().who, clock.now())
        return f"Version {version} is a draft again."

    return _act(version, act)


def _act(version: int, act: Callable[[PolicyVersion, str], str]) -> Response:
    """Act on a version; what cannot be is said above the unchanged page with what was typed."""
    why = request.form.get("why", "").strip()[:MOST_WHY]
    try:
        with writing():
            said = act(PolicyVersion.locked(version) or abort(404), why)
    except Conflict as error:
        return _shown(found(version), [str(error)], 409)
    except Invalid as error:
        return _shown(found(version), [each["message"] for each in error.errors], 422)
    flash(said)
    return make_response(redirect("/staff/policy", 303))


def _since() -> datetime:
    """The moment that was typed, on the shop's clock. Raises Invalid."""
    typed = request.form.get("at", "").strip()
    try:
        local = datetime.fromisoformat(typed)
    except ValueError:
        such = "Give a day and a time such as 2026-12-01 08:00."
        raise wrong("at", f"From when? {such}") from None
    zone = ZoneInfo(g.shop.timezone)
    try:
        return (local if local.tzinfo else local.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        raise wrong("at", "From when? That is too far away.") from None


def _shown(
    version: PolicyVersion, problems: list[str] | None = None, status: int = 200
) -> Response:
    now = clock.now()
    live = live_version(now)
    policy = version.policy
    noted = findings(policy, g.shop.country)
    text = render_template(
        "staff/policy_publication.html",
        here="policy",
        version=version.version,
        seen=version.hash,
        standing=standing(version, live, now),
        live=live.version if live else 0,
        differences=differences(live.policy, policy, now) if live else [],
        findings=noted,
        errors=[each for each in noted if each.level == "error"],
        problems=[by_place(each, policy) for each in problems or []],
        typed=request.form,
        zone=g.shop.timezone,
    )
    return make_response(text, status)
