"""A mailed code lifts a link from view to act grade, for the browser that asked for it.

Opening the page sends and uses nothing, so that a mail scanner does no harm. Asking for a code is
answered the same whether or not the order has an e-mail to send it to.
"""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, Response, abort, make_response, render_template, request
from sqlalchemy import select

from portal import clock, limits
from portal.db import session, writing
from portal.jobs import nudge
from portal.models import Link, LinkCode, Order
from portal.models.access import LIFT
from portal.models.audit import record
from portal.models.outbox import plan_code
from portal.pages.brand import url_in
from portal.pages.entry import browser, enter, guard, order_urls, see
from portal.pages.load import Opened
from portal.pages.speech import _

bp = Blueprint("codes", __name__)
bp.after_request(guard)
# What the reader was about to do when the code was asked for, and where that goes on.
ONWARD: dict[str, tuple[str, dict[str, str]]] = {
    "return": ("returns.step", {"step": "review"}),
    "claim": ("claims.form", {}),
    "protection": ("protection.page", {}),
}


@bp.get("/t/<token>/code")
def enter_code(token: str) -> Response:
    """Ask for a code, or enter the one that is on its way."""
    now = clock.now()
    link = enter(token, now)
    if link.grade == "act":
        return see(_onward(token))
    if not _has_code(link, now):
        return make_response(render_template("tracking/code_ask.html", urls=_urls(token)))
    return code_page(_urls(token), _("the address of this order"))


@bp.post("/t/<token>/code")
def use_code(token: str) -> Response:
    """With a code: lift the link. Without one: have a code mailed."""
    now = clock.now()
    link = enter(token, now)
    if link.grade == "act":
        return see(_onward(token))
    if "code" not in request.form:
        if not _send(link, now) and not _has_code(link, now):
            # One went out a moment ago, but to be typed in another browser.
            raise limits.TooMany(limits.CODES_MINUTE, limits.CODES_MINUTE.window)
        return see(_here(token))
    if not _lift(link, typed_code(), now):
        return code_page(_urls(token), _("the address of this order"), is_wrong=True)
    return see(_onward(token))


def _onward(token: str) -> str:
    """Where the reader wanted to go when the code was asked for."""
    page, more = ONWARD.get(request.args.get("then", ""), ("tracking.page", {}))
    return url_in(page, token=token, **more)


def _here(token: str) -> str:
    wanted = request.args.get("then", "")
    then = {"then": wanted} if wanted in ONWARD else {}
    return url_in("codes.enter_code", token=token, **then)


def _urls(token: str) -> dict[str, str | None]:
    return order_urls(token) | {"code": _here(token), "again": _here(token)}


def typed_code() -> str:
    """The code as typed, without the blanks people put into it."""
    return "".join(request.form.get("code", "")[:40].split())


def code_page(urls: dict[str, str | None], sent_to: str, is_wrong: bool = False) -> Response:
    """The field for the six digits; 422 after a wrong or late code."""
    wrong = _("This code is not right, or its time is over. Check it, or have another one sent.")
    text = render_template(
        "tracking/code.html",
        sent_to=sent_to,
        errors={"code": wrong} if is_wrong else {},
        message="",
        urls=urls,
    )
    return make_response(text, 422 if is_wrong else 200)


def count_code(order_id: str, now: datetime) -> bool:
    """Count one request for a code. False when one went out within the last minute.

    Call it inside `writing()`; raises limits.TooMany once the order had its codes for the day.
    """
    limits.take(limits.CODE_ASKS, order_id, now)
    if not limits.is_free(limits.CODES_MINUTE, order_id, now):
        return False
    limits.take(limits.CODES_MINUTE, order_id, now)
    limits.take(limits.CODES_DAY, order_id, now)
    return True


def _has_code(link: Opened, now: datetime) -> bool:
    return LinkCode.newest(link.order_id, LIFT, browser().digest, now) is not None


def _send(link: Opened, now: datetime) -> bool:
    """Have a code mailed; False when one went out within the last minute."""
    with writing():
        if not count_code(link.order_id, now):
            return False
        order = session.scalar(select(Order).where(Order.id == link.order_id))
        if order is None:
            abort(404)
        code = LinkCode.make(link.order_id, LIFT, browser().digest, now)
        plan_code(order, code, LIFT, order.email, now)
    nudge("send")
    return True


def _lift(link: Opened, typed: str, now: datetime) -> bool:
    """Use the code up and lift the link, in one transaction; the browser gets a new session id."""
    here = browser()
    with writing():
        code = LinkCode.newest(link.order_id, LIFT, here.digest, now)
        if code is None or not code.use(typed, now):
            return False
        old = here.digest
        here.rotate()
        Link.lift(link.id)
        Link.rebind(old, here.digest)
        record("customer", "link.lifted", link.order_id)
    return True
