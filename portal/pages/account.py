"""A customer's own page, behind a mailed code: orders, returns, claims, credit, and their data.

Whether an address is known is told by nothing: not by the answer, not by its time. Who types the
code has shown that the address is theirs, which is what a mailed link shows, too.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from email_validator import EmailNotValidError, validate_email
from flask import Blueprint, Response, make_response, render_template, request

from portal import clock, label_files, limits, pictures
from portal.db import session, sweep_up, writing
from portal.format import money
from portal.jobs import nudge
from portal.keys import Unsealable
from portal.models import Claim, Customer, Link, LinkCode, Order, Return
from portal.models.access import ACCOUNT
from portal.models.account import (
    claims_of_orders,
    newest_order,
    orders_of,
    returns_of,
    taken_away,
    unfinished,
)
from portal.models.audit import record
from portal.models.credit import balances, entries_of
from portal.models.erasure import erase
from portal.models.outbox import plan_code
from portal.models.preference import address_key
from portal.pages.brand import brand, page_locale, site_urls, url_in
from portal.pages.claim_words import STATUSES as CLAIM_STATUSES
from portal.pages.codes import code_page, typed_code
from portal.pages.dates import Calendar
from portal.pages.entry import browser, guard, see
from portal.pages.rma_shown import LABELS
from portal.pages.speech import N_, _

bp = Blueprint("account", __name__)
bp.after_request(guard)
SIGNED_IN_FOR: Final = timedelta(hours=12)
KEY: Final = "account"
ORDER_STATUSES: Final = {
    "placed": N_("We are getting it ready"),
    "partially_shipped": N_("Partly on its way"),
    "shipped": N_("On its way"),
    "partially_delivered": N_("Partly delivered"),
    "delivered": N_("Delivered"),
    "returned": N_("Came back to us"),
    "cancelled": N_("Cancelled"),
}
RETURN_STATUSES: Final = {
    **LABELS,
    "declined": N_("Not accepted"),
    "cancelled": N_("Called off"),
    "expired": N_("Its time is over"),
}


@bp.get("/account")
def page() -> Response:
    """Everything of whoever is signed in; else the field for their address."""
    now = clock.now()
    customer = _customer(now)
    return _sign_in({}) if customer is None else _shown(customer, now)


@bp.post("/account")
def ask() -> Response:
    """Mail a code, if the address is one that orders came from. The answer is the same if not."""
    now = clock.now()
    address = _valid(request.form.get("email", ""))
    if not address:
        wrong = _("Please enter an e-mail address such as name@example.com.")
        return _sign_in({"email": wrong}, 422)
    with writing():
        limits.take(limits.LOOKUP_CLIENT, limits.client(), now)
        limits.take(limits.CODES_ADDRESS, address_key(address), now)
        _mail_code(newest_order(address), now)
    nudge("send")
    return see(url_in("account.enter_code"))


@bp.get("/account/code")
def enter_code() -> Response:
    """The field for the six digits."""
    return _code()


@bp.post("/account/code")
def use_code() -> Response:
    """Sign in with the code: this browser gets a new session id."""
    now, here = clock.now(), browser()
    if "code" not in request.form:  # another one is sent from the page with the address
        return see(url_in("account.page"))
    with writing():
        code = LinkCode.newest_of(ACCOUNT, here.digest, now)
        if code is None or not code.use(typed_code(), now):
            code = None
        else:
            here.rotate()
            here[KEY] = {"customer": code.subject, "until": (now + SIGNED_IN_FOR).isoformat()}
            record("customer", "account.opened", f"customer:{code.subject}")
    return _code(is_wrong=True) if code is None else see(url_in("account.page"))


@bp.post("/account/leave")
def leave() -> Response:
    """Sign out."""
    browser().pop(KEY, None)
    return see(url_in("account.page"))


@bp.get("/account/data.json")
def data() -> Response:
    """Everything the shop holds of them, to keep."""
    customer = _customer(clock.now())
    if customer is None:
        return see(url_in("account.page"))
    text = json.dumps(taken_away(customer), ensure_ascii=False, indent=2)
    response = Response(text + "\n", mimetype="application/json")
    response.headers["Content-Disposition"] = 'attachment; filename="my-data.json"'
    return response


@bp.get("/account/erasure")
def before_erasure() -> Response:
    """What is forgotten, what stays, and what has to end before."""
    customer = _customer(clock.now())
    return see(url_in("account.page")) if customer is None else _erasure(customer)


@bp.post("/account/erasure")
def forget_me() -> Response:
    """Forget them, if nothing is under way."""
    now = clock.now()
    customer = _customer(now)
    if customer is None:
        return see(url_in("account.page"))
    if "sure" not in request.form or unfinished(customer.id):
        return _erasure(customer, is_unsure="sure" not in request.form)
    with writing():
        held = erase(customer.email, now, "customer")
    for photo_id in held.files.photo_ids:
        pictures.path_of(customer.shop_id, photo_id).unlink(missing_ok=True)
    for label_id in held.files.label_ids:
        label_files.forget(customer.shop_id, label_id)
    sweep_up()
    browser().pop(KEY, None)
    return make_response(render_template("account/forgotten.html", urls=site_urls()))


def _valid(typed: str) -> str:
    try:
        return str(validate_email(typed.strip()[:300], check_deliverability=False).normalized)
    except EmailNotValidError:
        return ""


def _mail_code(order: Order | None, now: datetime) -> None:
    """Make a code and have it mailed; where nobody is known, as much work for nothing."""
    if order is None or not limits.is_free(limits.CODES_MINUTE, f"account:{order.id}", now):
        LinkCode.pretend()
        return
    limits.take(limits.CODES_MINUTE, f"account:{order.id}", now)
    code = LinkCode.make(order.id, ACCOUNT, browser().digest, now, order.customer_id or "")
    plan_code(order, code, ACCOUNT, order.email, now)


def _customer(now: datetime) -> Customer | None:
    """Who is signed in in this browser, while it holds."""
    kept = browser().get(KEY)
    if not kept or datetime.fromisoformat(kept["until"]) <= now:
        return None
    found = session.get(Customer, kept["customer"])
    return found if found is not None and "@" in found.email else None


def _sign_in(errors: dict[str, str], status: int = 200) -> Response:
    text = render_template(
        "account/sign_in.html",
        errors=errors,
        typed=request.form.get("email", "")[:300],
        here=url_in("account.ask"),
        urls=site_urls(),
    )
    return make_response(text, status)


def _code(is_wrong: bool = False) -> Response:
    here = url_in("account.use_code")
    urls = site_urls() | {"code": here, "again": here}
    return code_page(urls, _("the address you gave, if we know it"), is_wrong)


def _erasure(customer: Customer, *, is_unsure: bool = False) -> Response:
    going = unfinished(customer.id)
    text = render_template(
        "account/erasure.html",
        going=going,
        is_unsure=is_unsure,
        has_credit=any(balances(customer.id, clock.now()).values()),
        here=url_in("account.forget_me"),
        back=url_in("account.page"),
        urls=site_urls(),
    )
    status = 409 if going and request.method == "POST" else 422 if is_unsure else 200
    return make_response(text, status)


def _shown(customer: Customer, now: datetime) -> Response:
    orders = orders_of(customer.id)
    ids = [order.id for order in orders]
    calendar = Calendar.at(now, page_locale(), brand().shop.timezone)
    text = render_template(
        "account/page.html",
        email=customer.email,
        orders=[_order(order, calendar) for order in orders],
        returns=[
            _thing(each, each.requested_at, RETURN_STATUSES, "rma.page", calendar)
            for each in returns_of(ids)
        ],
        claims=[
            _thing(each, each.asked_at, CLAIM_STATUSES, "claim.page", calendar)
            for each in claims_of_orders(ids)
        ],
        credit=_credit(customer.id, calendar, now),
        leave=url_in("account.leave"),
        data=url_in("account.data"),
        erasure=url_in("account.before_erasure"),
        urls=site_urls(),
    )
    return make_response(text)


def _order(order: Order, calendar: Calendar) -> dict[str, Any]:
    status = ORDER_STATUSES[order.status]
    try:
        token = Link.of(order.id)
    except Unsealable:
        token = ""
    return {
        "number": order.number,
        "placed": calendar.long(calendar.local(order.placed_at).date()),
        "status": _(status),
        "url": url_in("tracking.page", token=token) if token else "",
        "wishes": url_in("updates.wishes", token=token) if token else "",
    }


def _thing(
    each: Return | Claim,
    at: datetime,
    statuses: Mapping[str, str],
    endpoint: str,
    calendar: Calendar,
) -> dict[str, str]:
    """A return or a claim: its number, its day, where it stands, and its own page."""
    status = statuses[each.status]
    try:
        url = url_in(endpoint, token=each.token)
    except Unsealable:
        url = ""
    placed = calendar.long(calendar.local(at).date())
    return {"number": each.number, "placed": placed, "status": _(status), "url": url}


def _credit(customer_id: str, calendar: Calendar, now: datetime) -> list[dict[str, str]]:
    """What can be used in each currency, and the day on which the first of it ends."""
    ends: dict[str, datetime] = {}
    for entry in entries_of(customer_id):
        at = entry.expires_at
        if at and at > now and entry.amount_minor > 0:
            ends[entry.currency] = min(at, ends.get(entry.currency, at))
    return [
        {
            "amount": money(amount, currency, page_locale()),
            "until": calendar.long(calendar.local(ends[currency]).date())
            if currency in ends
            else "",
        }
        for currency, amount in sorted(balances(customer_id, now).items())
        if amount > 0
    ]
