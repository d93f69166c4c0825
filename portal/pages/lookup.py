"""Find an order by its number and an e-mail or postcode, and the small files of every site.

Number and e-mail are knowledge, not proof: they open a view-grade link, in this browser, for a day.
A wrong number, a wrong e-mail and a wrong postcode are answered alike, by the same statements.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, g, make_response, render_template, request
from sqlalchemy import select
from werkzeug.datastructures import MultiDict
from wtforms import Form, StringField
from wtforms.validators import InputRequired, Length, Regexp

from carriers.detect import candidates
from portal import clock, limits
from portal.db import session, writing
from portal.keys import digest
from portal.models import Link, Order
from portal.models.order import email_key, number_key, postcode_key
from portal.pages.brand import brand, site_urls, url_in
from portal.pages.entry import browser, see
from portal.pages.speech import _
from portal.security import is_same

bp = Blueprint("lookup", __name__)
PLAIN = re.compile(r"[^\x00-\x1f\x7f\ud800-\udfff]*\Z")
LONGEST_NUMBER = 120
PAGE_STEP = 4096  # bytes: an answer's length tells nothing about what was typed
SECRET = ("t", "r", "c", "u", "events")  # paths that hold a token
ROBOTS = "User-agent: *\n" + "".join(f"Disallow: /{path}/\n" for path in SECRET)


class LookupForm(Form):  # type: ignore[misc]  # WTForms ships no types
    """Two fields. The second one may be called `email` or `postcode` by who knows which it is."""

    number = StringField(validators=[InputRequired(), Length(max=LONGEST_NUMBER), Regexp(PLAIN)])
    proof = StringField(validators=[InputRequired(), Length(max=254), Regexp(PLAIN)])


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed, folded into the forms the database keeps."""

    number: str
    email: str
    postcode: str

    @classmethod
    def of(cls, form: LookupForm) -> Asked:
        """Read the second field: with an @ it is an e-mail."""
        proof = form.proof.data or ""
        is_email = "@" in proof
        return cls(
            number=number_key(form.number.data or ""),
            email=email_key(proof) if is_email else "",
            postcode="" if is_email else postcode_key(proof),
        )

    @property
    def limits(self) -> list[tuple[limits.Limit, str]]:
        """What this try counts against, always in one order, so that no two wait for each other."""
        found = [
            (limits.LOOKUP_CLIENT, limits.client()),
            (limits.LOOKUP_CLIENT_DAY, limits.client()),
            (limits.LOOKUP_ORDER, self.number),
        ]
        return [*found, (limits.LOOKUP_EMAIL, self.email)] if self.email else found


@bp.get("/")
def find() -> Response:
    """The two fields."""
    return _form_page({}, {})


@bp.get("/track")
def track() -> Response:
    """The same two fields, under the name people guess; a shop's link may bring the number."""
    number = request.args.get("number", "")[:LONGEST_NUMBER]
    return _form_page({"number": number if PLAIN.match(number) else ""}, {})


@bp.post("/track")
def look_up() -> Response:
    """303 to the order's page, or the form again: 422 incomplete, 404 no match, 429 too often."""
    form = LookupForm(MultiDict(_typed(request.form)))
    if not form.validate():
        return _form_page(form.data, _errors(form), status=422)
    asked = Asked.of(form)
    with writing():
        for limit, subject in asked.limits:
            limits.take(limit, subject, clock.now())
    order_id = _match(asked)
    if order_id is None:
        return _form_page(form.data, {}, message=_no_match(), status=404)
    return see(url_in("tracking.page", token=_lend(order_id, asked)))


@bp.after_request
def _apart(response: Response) -> Response:
    if response.mimetype == "text/html":
        response.vary.update(("Accept-Language", "Cookie"))
    return response


def _typed(given: Mapping[str, str]) -> dict[str, str]:
    proof = given.get("proof") or given.get("email") or given.get("postcode") or ""
    return {"number": given.get("number", "").strip(), "proof": proof.strip()}


def _match(asked: Asked) -> str | None:
    """The id of the order that both details belong to. The work is the same whatever is wrong."""
    row = session.execute(
        select(
            Order.id, Order.email_key, Order.address["postcode"].as_string().label("postcode")
        ).where(Order.number_key == asked.number)
    ).first()
    order_id, email, postcode = tuple(row) if row else ("", "", "")
    same_email = is_same(digest(asked.email), digest(email or ""))
    same_postcode = is_same(digest(asked.postcode), digest(postcode_key(postcode or "")))
    is_right = (same_email & bool(asked.email)) | (same_postcode & bool(asked.postcode))
    return order_id if order_id and is_right else None


def _lend(order_id: str, asked: Asked) -> str:
    g.needs_session = True
    with writing():
        for limit, subject in asked.limits:
            limits.give_back(limit, subject)
        return Link.lend(order_id, browser().digest, clock.now())


def _no_match() -> str:
    return _("We find no order with these two details. Please compare both with your order mail.")


def _errors(form: LookupForm) -> dict[str, str]:
    said = {
        "number": _("Please enter your order number."),
        "proof": _("Please enter the e-mail or postcode of the order."),
    }
    unreadable = _("This cannot be read. Please type it again.")
    return {
        name: unreadable if form[name].data else said[name] for name in said if form[name].errors
    }


def _form_page(
    form: Mapping[str, Any], errors: Mapping[str, str], message: str = "", status: int = 200
) -> Response:
    text = render_template(
        "tracking/lookup.html",
        form=form,
        errors=errors,
        message=message,
        matches=[],
        urls=site_urls(),
        carrier_guess=_carrier_guess(str(form.get("number") or "")),
    )
    body = text.encode()
    if status != 200:
        body += b" " * (-len(body) % PAGE_STEP)
    return make_response(body, status)


def _carrier_guess(number: str) -> dict[str, str] | None:
    """A carrier whose numbers look like the one typed, with its own page; from the text alone."""
    for candidate in candidates(number)[:1]:
        if candidate.tracking_url:
            return {
                "name": candidate.name, "number": candidate.number, "url": candidate.tracking_url
            }  # fmt: skip
    return None


# --- small files --------------------------------------------------------------------------------


@bp.get("/favicon.ico")
@bp.get("/icon.svg")
def icon() -> Response:
    """The theme's sign, in the brand's colour for light and dark."""
    response = Response(brand().theme.icon_svg, mimetype="image/svg+xml")
    response.headers["Cache-Control"] = "public, max-age=86400"
    response.add_etag()
    response.make_conditional(request)
    return response


@bp.get("/robots.txt")
def robots() -> Response:
    """What crawlers are asked to leave alone: everything behind a link."""
    response = Response(ROBOTS, mimetype="text/plain")
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response
