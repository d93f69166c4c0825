"""The returns policy before staff: its versions, and the rules of one in order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Response, abort, flash, g, make_response, redirect, render_template, request
from sqlalchemy import select

from portal import clock
from portal.db import session, writing
from portal.models.change import Conflict
from portal.models.policy import BEGINNING, PolicyVersion, live_version, standing
from portal.pages.dates import Calendar
from portal.sources.sentences import Invalid
from portal.staff.desk import bp
from portal.staff.policy_edit import change_rules, found, moved, without
from portal.staff.policy_sentences import (
    MENDS,
    OTHERWISE,
    desk_reader,
    findings,
    sentence,
    title_of,
)
from portal.staff.return_shown import when
from portal.staff.rights import me, needs

TONES = {"draft": "warn", "scheduled": "warn", "live": "ok", "retired": ""}


@bp.get("/policy")
@needs("read")
def policy() -> Response:
    """What holds now, what is being prepared, and every version before."""
    return overview()


def overview(problem: str = "", status: int = 200) -> Response:
    """The page of all versions; `problem` is what was refused a moment ago."""
    now = clock.now()
    live = live_version(now)
    versions = session.scalars(select(PolicyVersion).order_by(PolicyVersion.version.desc())).all()
    text = render_template(
        "staff/policy.html",
        here="policy",
        problem=problem,
        live=live,
        said=sentences_of(live, now) if live else [],
        otherwise=OTHERWISE[str(live.policy.otherwise)] if live else "",
        versions=[version_shown(each, live, now) for each in versions],
        can=me().may,
    )
    return make_response(text, status)


def version_shown(version: PolicyVersion, live: PolicyVersion | None, now: datetime) -> Any:
    """A version in the list: what it is now, since when, by whom, and why."""
    calendar = Calendar.at(now, "en", g.shop.timezone)
    what = standing(version, live, now)
    since = version.since
    return {
        "version": version.version,
        "name": version.policy.name or "Returns",
        "standing": what,
        "tone": TONES[what],
        "since": when(since, calendar) if since and since > BEGINNING else "",
        "by": version.published_by.partition(" ")[2] or version.created_by.partition(" ")[2],
        "note": version.note,
        "rules": len(version.policy.rules),
        "url": f"/staff/policy/{version.version}",
    }


def sentences_of(version: PolicyVersion, now: datetime) -> list[str]:
    """Every rule of a version as a sentence."""
    reader = desk_reader(version.policy, now)
    return [sentence(entry, reader) for entry in version.policy.rules]


@bp.post("/policy/drafts")
@needs("policy")
def policy_draft() -> Response:
    """Begin a draft from a version: those in force, or an older one."""
    source = found(request.form.get("from", 0, type=int))
    document, note = source.document, f"From version {source.version}."
    with writing():
        made = PolicyVersion.draft(document, me().who, clock.now(), note)
        version = made.version
    return _to(version)


@bp.get("/policy/<int:version>")
@needs("read")
def policy_version(version: int) -> Response:
    """The rules of one version; of a draft, with what can be done to them."""
    return version_page(found(version))


def version_page(version: PolicyVersion, problem: str = "", status: int = 200) -> Response:
    """The page of one version; `problem` is what was refused a moment ago."""
    now = clock.now()
    live = live_version(now)
    policy = version.policy
    what = standing(version, live, now)
    noted = findings(policy, g.shop.country)
    text = render_template(
        "staff/policy_version.html",
        here="policy",
        problem=problem,
        policy=policy,
        seen=version.hash,
        shown=version_shown(version, live, now),
        live=live.version if live else 0,
        rules=_rules(version, now),
        otherwise=OTHERWISE[str(policy.otherwise)],
        findings=[(each, MENDS.get(each.code, "")) for each in noted],
        errors=sum(each.level == "error" for each in noted),
        can_edit=what == "draft" and me().may("policy"),
        can=me().may,
    )
    return make_response(text, status)


def _rules(version: PolicyVersion, now: datetime) -> list[dict[str, Any]]:
    reader = desk_reader(version.policy, now)
    noted = findings(version.policy, g.shop.country)
    return [
        {
            "id": entry.id,
            "title": title_of(entry.rule.kind),
            "said": sentence(entry, reader),
            "note": entry.note,
            "findings": [each for each in noted if each.rule == entry.id],
        }
        for entry in version.policy.rules
    ]


@bp.post("/policy/<int:version>/rules/<rule_id>/place")
@needs("policy")
def policy_rule_place(version: int, rule_id: str) -> Response:
    """Move a rule a place up or down: the first that decides counts."""
    step = {"up": -1, "down": 1}.get(request.form.get("to", "")) or abort(400)
    return _act(version, lambda: change_rules(version, lambda r: moved(r, rule_id, step)), rule_id)


@bp.post("/policy/<int:version>/rules/<rule_id>/removal")
@needs("policy")
def policy_rule_removal(version: int, rule_id: str) -> Response:
    """Take a rule out."""
    said = "The rule is removed."
    return _act(version, lambda: change_rules(version, lambda r: without(r, rule_id)), "", said)


@bp.post("/policy/<int:version>/removal")
@needs("policy")
def policy_removal(version: int) -> Response:
    """Throw a draft away."""
    try:
        with writing():
            (PolicyVersion.locked(version) or abort(404)).drop(me().who)
    except Conflict as error:
        return overview(str(error), 409)
    flash(f"Draft {version} is thrown away.")
    return make_response(redirect("/staff/policy", 303))


def _act(version: int, act: Callable[[], None], rule_id: str, said: str = "") -> Response:
    """Change the draft; what cannot be is said above it as it is now."""
    try:
        act()
    except (Conflict, Invalid) as error:
        told = error.errors[0]["message"] if isinstance(error, Invalid) else str(error)
        return version_page(found(version), told, 409)
    if said:
        flash(said)
    return _to(version, rule_id)


def _to(version: int, rule_id: str = "") -> Response:
    anchor = f"#rule-{rule_id}" if rule_id else ""
    return make_response(redirect(f"/staff/policy/{version}{anchor}", 303))
