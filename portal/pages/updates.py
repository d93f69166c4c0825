"""Messages about an order: which ones, none, or to another address as well.

Whoever may look may also ask for less. More, or another address, needs an act-grade link; another
address hears nothing before it gave back the code that was mailed to it.
"""

from __future__ import annotations

from datetime import datetime

from email_validator import EmailNotValidError, validate_email
from flask import Blueprint, Response, abort, make_response, render_template, request
from sqlalchemy import select

from portal import clock, limits
from portal.db import session, writing
from portal.jobs import nudge
from portal.models import LinkCode, Order
from portal.models.access import CONFIRM
from portal.models.audit import record
from portal.models.news import KINDS
from portal.models.outbox import plan_code
from portal.models.preference import address_key, chosen, confirm, start, stop
from portal.pages.brand import brand, page_locale, url_in
from portal.pages.codes import code_page, count_code, typed_code
from portal.pages.entry import browser, enter, guard, order_urls, see
from portal.pages.load import Opened, load_order
from portal.pages.present import present
from portal.pages.speech import _

bp = Blueprint("updates", __name__)
bp.after_request(guard)


@bp.get("/t/<token>/updates")
def wishes(token: str) -> Response:
    """What the order's own address is told. The address itself is not shown."""
    now = clock.now()
    return _page(token, enter(token, now), now)


@bp.post("/t/<token>/updates")
def keep_wishes(token: str) -> Response:
    """Keep the kinds that were ticked; `stop` or none means nothing any more."""
    now = clock.now()
    link = enter(token, now)
    if "email" in request.form:
        return _ask_address(token, link, now)
    kinds = frozenset() if "stop" in request.form else KINDS & set(request.form.getlist("kind"))
    own = _own_address(link.order_id)
    if link.grade != "act" and not kinds <= (chosen(link.order_id, own) if own else KINDS):
        return see(url_in("codes.enter_code", token=token))
    if own:
        with writing():
            _keep(link.order_id, own, kinds)
    return see(url_in("updates.wishes", token=token, saved="1"))


@bp.get("/t/<token>/updates/code")
def enter_code(token: str) -> Response:
    """The field for the code that was mailed to another address."""
    enter(token, clock.now())
    return _code_page(token)


@bp.post("/t/<token>/updates/code")
def confirm_address(token: str) -> Response:
    """The other address gave its code back: from now on it is told."""
    now = clock.now()
    link = enter(token, now)
    if "code" not in request.form:  # another one is sent from the page with the address
        return see(url_in("updates.wishes", token=token))
    with writing():
        code = LinkCode.newest(link.order_id, CONFIRM, browser().digest, now)
        is_right = code is not None and code.use(typed_code(), now)
        if code is not None and is_right:
            confirm(link.order_id, code.subject, now)
            record("customer", "updates.confirmed", link.order_id)
    if not is_right:
        return _code_page(token, is_wrong=True)
    return see(url_in("updates.wishes", token=token, saved="1"))


def _keep(order_id: str, own: str, kinds: frozenset[str]) -> None:
    if kinds:
        start(order_id, own, kinds)
    else:
        stop(order_id, own)
    record("customer", "updates.chosen", order_id, after={"kinds": sorted(kinds)})


def _ask_address(token: str, link: Opened, now: datetime) -> Response:
    if link.grade != "act":
        return see(url_in("codes.enter_code", token=token))
    address = _valid(request.form["email"])
    if not address:
        wrong = {"email": _("Please enter an e-mail address such as name@example.com.")}
        return _page(token, link, now, wrong)
    with writing():
        if count_code(link.order_id, now):
            limits.take(limits.CODES_ADDRESS, address_key(address), now)
            _invite(link.order_id, address, now)
    nudge("send")
    return see(url_in("updates.enter_code", token=token))


def _invite(order_id: str, address: str, now: datetime) -> None:
    """Keep the wish, unconfirmed, and mail the code that confirms it."""
    order = session.scalar(select(Order).where(Order.id == order_id))
    if order is None:
        abort(404)
    start(order_id, address)
    subject = address_key(address)
    code = LinkCode.make(order_id, CONFIRM, browser().digest, now, subject)
    plan_code(order, code, CONFIRM, address, now)


def _valid(typed: str) -> str:
    try:
        return str(validate_email(typed.strip()[:300], check_deliverability=False).normalized)
    except EmailNotValidError:
        return ""


def _own_address(order_id: str) -> str:
    return session.scalar(select(Order.email).where(Order.id == order_id)) or ""


def _page(
    token: str, link: Opened, now: datetime, errors: dict[str, str] | None = None
) -> Response:
    order = load_order(link.order_id, link.grade)
    if order is None:
        abort(404)
    own = _own_address(link.order_id)
    is_act = link.grade == "act"
    text = render_template(
        "tracking/updates_act.html" if is_act else "tracking/updates.html",
        page=present(order, brand().shop, now, page_locale()),
        # A view-grade reader is not told whether there is an address.
        sent_to=_("the address of this order") if own or not is_act else "",
        chosen=chosen(link.order_id, own) if own else KINDS,
        saved=request.args.get("saved") == "1" and not errors,
        errors=errors or {},
        message="",
        urls=order_urls(token),
    )
    return make_response(text, 422 if errors else 200)


def _code_page(token: str, is_wrong: bool = False) -> Response:
    here = url_in("updates.enter_code", token=token)
    urls = order_urls(token) | {"code": here, "again": here}
    return code_page(urls, _("the address you gave"), is_wrong)
