"""A version as others would see it: the policy's page, a return's first step, and what differs."""

from __future__ import annotations

from flask import Response, g, make_response, render_template, request
from sqlalchemy import select

from portal import clock
from portal.db import session
from portal.models import Order, Return
from portal.models.policy import PolicyVersion, live_version
from portal.pages import offers
from portal.pages.brand import page_locale
from portal.pages.dates import Calendar
from portal.pages.draft import Draft
from portal.pages.policy_page import policy_shown
from portal.staff.desk import bp
from portal.staff.policy_edit import found
from portal.staff.policy_sentences import differences
from portal.staff.policy_trial import order_by_number
from portal.staff.rights import needs


@bp.get("/policy/<int:version>/preview")
@needs("read")
def policy_preview(version: int) -> Response:
    """The policy's page as customers would read it under this version."""
    shown = found(version)
    notice = f"Version {version}, before it is in force: only staff see this page."
    text = render_template(
        "returns/policy.html",
        **policy_shown(shown.policy, clock.now()),
        version=version,
        is_live=False,
        notice=notice,
        since="",
        versions=[],
    )
    return make_response(text)


@bp.get("/policy/<int:version>/wizard")
@needs("read")
def policy_wizard(version: int) -> Response:
    """The first step of a return of one order, under this version."""
    shown, now = found(version), clock.now()
    number = request.args.get("q", "").strip()[:120]
    order = order_by_number(number or _latest())
    if order is None:
        problem = f"There is no order {number}. Look at its number again." if number else ""
        text = render_template(
            "staff/policy_no_order.html",
            here="policy",
            version=version,
            number=number,
            told=problem,
        )
        return make_response(text, 422 if problem else 200)
    calendar = Calendar.at(now, page_locale(), g.shop.timezone)
    rows = offers.articles(order, now, calendar, {}, shown.policy)
    text = render_template(
        "staff/policy_wizard.html",
        rows=rows,
        version=version,
        order=order,
        draft=Draft.of(order.id),
        late=any(row.is_late and not row.is_open for row in rows),
        here=f"/staff/policy/{version}/wizard",
        back=f"/staff/policy/{version}",
        number=1,
        count=4,
        errors={},
        message="",
        summary=[],
        total=None,
    )
    return make_response(text)


def _latest() -> str:
    """The number of the newest order that has arrived and of which nothing came back yet."""
    newest = select(Order.number).order_by(Order.placed_at.desc(), Order.id.desc()).limit(1)
    asked = select(Return.id).where(Return.order_id == Order.id)
    arrived = newest.where(Order.status == "delivered", ~asked.exists())
    return session.scalar(arrived) or session.scalar(newest) or ""


@bp.get("/policy/<int:version>/changes")
@needs("read")
def policy_changes(version: int) -> Response:
    """What differs between this version and another, in sentences."""
    now = clock.now()
    new = found(version)
    live = live_version(now)
    against = request.args.get("against", live.version if live else version, type=int)
    old = found(against)
    text = render_template(
        "staff/policy_changes.html",
        here="policy",
        version=version,
        against=against,
        versions=session.scalars(
            select(PolicyVersion.version).order_by(PolicyVersion.version.desc())
        ).all(),
        differences=differences(old.policy, new.policy, now),
    )
    return make_response(text)
