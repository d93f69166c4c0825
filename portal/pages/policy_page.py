"""The returns policy as customers read it, made from the rules in force.

Three parts that readers know: what, by when and which ways out; how it goes back; what holds for
all. A rule that only staff's work depends on says nothing here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from flask import Blueprint, Response, abort, make_response, render_template, request
from sqlalchemy import select

from portal import clock
from portal.db import session
from portal.models.policy import PolicyVersion, live_version, standing
from portal.pages.brand import brand, page_locale, url_in
from portal.pages.dates import Calendar
from portal.pages.policy_sentences import Reader, part_of, told
from portal.pages.promises import published
from portal.pages.speech import N_, _
from returns.policy import Policy

bp = Blueprint("policy", __name__)
PARTS: Final = (
    ("what", N_("What can go back, by when, and what you get")),
    ("how", N_("How it goes back")),
    ("all", N_("What holds for every return")),
)


@bp.get("/policy")
def policy() -> Response:
    """The rules in force, or with ?version= those of an earlier version."""
    now = clock.now()
    live = live_version(now)
    versions = _published(now)
    asked = request.args.get("version", type=int)
    shown = next((each for each in versions if each.version == asked), None) if asked else live
    if shown is None or live is None:
        abort(404)
    calendar = Calendar.at(now, page_locale(), brand().shop.timezone)
    text = render_template(
        "returns/policy.html",
        **policy_shown(shown.policy, now),
        version=shown.version,
        is_live=shown.id == live.id,
        since=_since(shown, calendar),
        versions=[
            {
                "version": each.version,
                "since": _since(each, calendar),
                "standing": standing(each, live, now),
                "url": url_in(".policy", version=str(each.version)),
            }
            for each in versions
        ],
    )
    return make_response(text)


def policy_shown(policy: Policy, now: datetime) -> dict[str, Any]:
    """What the page says of a policy: its parts, each with its sentences."""
    calendar = Calendar.at(now, page_locale(), brand().shop.timezone)
    return {"parts": _parts(policy, Reader(page_locale(), calendar, policy.currency or ""))}


def _published(now: datetime) -> list[PolicyVersion]:
    wanted = select(PolicyVersion).where(PolicyVersion.since <= now)
    return list(session.scalars(wanted.order_by(PolicyVersion.version.desc())))


def _since(version: PolicyVersion, calendar: Calendar) -> str:
    at = version.since
    return calendar.full(at) if at is not None and at.year > 1970 else ""


def _parts(policy: Policy, reader: Reader) -> list[tuple[str, list[str]]]:
    """Title and sentences of each part, in the order of the rules, each sentence once."""
    said: dict[str, list[str]] = {name: [] for name, _title in PARTS}
    for entry in policy.rules:
        for sentence in told(entry, reader):
            if sentence not in said[part_of(entry.rule.kind)]:
                said[part_of(entry.rule.kind)].append(sentence)
    said["all"] += [_otherwise(policy), *published()]
    return [(_(title), said[name]) for name, title in PARTS if said[name]]


def _otherwise(policy: Policy) -> str:
    return {
        "approve": _("Whatever these rules leave open is accepted."),
        "decline": _("Whatever these rules do not allow cannot come back."),
    }.get(str(policy.otherwise), _("Whatever these rules leave open, a person decides."))
