"""The withdrawal function: declare, look over, confirm; then the receipt.

Without an account, without a reason, in two steps with the words the law asks for. Nothing is
looked up while somebody waits, so that a known order and an unknown one are answered alike.
"""

from __future__ import annotations

import secrets
from typing import Any

from email_validator import EmailNotValidError, validate_email
from flask import Blueprint, Response, abort, make_response, render_template, request

from portal import clock, limits
from portal.db import session, writing
from portal.jobs import nudge
from portal.models.sent import known, once
from portal.models.withdrawal import Withdrawal
from portal.pages.brand import brand, page_locale, site_urls, url_in
from portal.pages.dates import Calendar
from portal.pages.entry import guard, see
from portal.pages.speech import N_, _
from portal.pages.withdrawal_words import declared

bp = Blueprint("withdraw", __name__)
bp.after_request(guard)
LONGEST = {"name": 200, "number": 120, "email": 254, "articles": 1_000}
ASKED = {
    "name": N_("Type your name."),
    "number": N_("Type your order number, or whatever names the contract."),
    "email": N_("Type an e-mail address that the receipt can be sent to."),
}


@bp.get("/withdraw")
def form() -> Response:
    """The statement; a shop's link may bring the number."""
    number = request.args.get("number", "")[: LONGEST["number"]]
    return _form({"number": number})


@bp.post("/withdraw")
def look_over() -> Response:
    """The statement once more, with the button that declares it. Stores nothing."""
    typed = _typed()
    errors = _errors(typed)
    if errors or "change" in request.form:
        return _form(typed, errors, 422 if errors and "change" not in request.form else 200)
    text = render_template(
        "withdraw/confirm.html",
        typed=typed,
        rows=declared(*(typed[name] for name in ("name", "number", "email", "articles"))),
        key=request.form.get("key", "")[:40] or secrets.token_urlsafe(12),
        here=url_in(".confirm"),
        back=url_in(".form"),
        urls=site_urls(),
    )
    return make_response(text)


@bp.post("/withdraw/confirm")
def confirm() -> Response:
    """Declare it, once however often the button is pressed; then its receipt."""
    typed = _typed()
    errors = _errors(typed)
    if errors:
        return _form(typed, errors, 422)
    key = f"withdraw:{request.form.get('key', '')[:40]}:{typed['email']}:{typed['number']}"
    token = known(key)
    if token is None:
        with writing():
            limits.take(limits.WITHDRAWALS, limits.client(), clock.now())
            token = once(key, clock.now(), lambda: _declare(typed))
        nudge("send")
        nudge("withdraw")
    return see(url_in(".receipt", token=token))


@bp.get("/withdraw/<token>")
def receipt(token: str) -> Response:
    """What was declared and when it was received: to be printed and kept."""
    made = Withdrawal.at(token) or abort(404)
    calendar = Calendar.at(clock.now(), page_locale(), brand().shop.timezone)
    text = render_template(
        "withdraw/receipt.html",
        rows=declared(made.name, made.number, made.email, made.articles),
        received=calendar.full(calendar.local(made.declared_at)),
        email=made.email,
        urls=site_urls(),
    )
    return make_response(text)


def _declare(typed: dict[str, str]) -> str:
    """Store it; the receipt is mailed as well, unless an address has had many of them today."""
    now = clock.now()
    made = Withdrawal.declare(**typed, locale=page_locale(), now=now)
    address = typed["email"].lower()
    if limits.is_free(limits.RECEIPTS, address, now):
        limits.take(limits.RECEIPTS, address, now)
        made.mail_receipt(now)
    session.flush()
    return made.token


def _typed() -> dict[str, str]:
    """What was typed, blanks folded; line breaks stay where several articles are named."""
    found = {name: request.form.get(name, "")[:most].strip() for name, most in LONGEST.items()}
    return {name: _readable(text) for name, text in found.items()}


def _readable(text: str) -> str:
    """Without control characters and halves of characters, which nobody typed."""
    whole = text.encode("utf-8", "ignore").decode()
    return "".join(each for each in whole if each.isprintable() or each == "\n")


def _errors(typed: dict[str, str]) -> dict[str, str]:
    errors = {name: _(words) for name, words in ASKED.items() if not typed[name]}
    if typed["email"] and not _is_address(typed["email"]):
        words = ASKED["email"]
        errors["email"] = _(words)
    return errors


def _is_address(typed: str) -> bool:
    try:
        validate_email(typed, check_deliverability=False)
    except EmailNotValidError:
        return False
    return True


def _form(
    typed: dict[str, str], errors: dict[str, str] | None = None, status: int = 200
) -> Response:
    values: dict[str, Any] = {name: typed.get(name, "") for name in LONGEST}
    text = render_template(
        "withdraw/form.html",
        typed=values,
        errors=errors or {},
        here=url_in(".look_over"),
        urls=site_urls(),
    )
    return make_response(text, status)
