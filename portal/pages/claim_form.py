"""Something is wrong with a parcel: what happened, then what of it and what instead.

The same form with cover and without. What is sent is sent once, however often the button is
pressed; photos that were taken stay when something else has to be put right.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from flask import Blueprint, Response, abort, make_response, render_template, request

from portal import clock
from portal.db import session, writing
from portal.format import money
from portal.jobs import nudge
from portal.models import Photo
from portal.models.catalog import Picture
from portal.models.change import Conflict
from portal.models.claim_facts import Day, terms_of
from portal.models.claim_request import (
    AskedClaim,
    Kind,
    free_of,
    kinds_of,
    parcels_of,
    request_claim,
)
from portal.models.rma_facts import Situation
from portal.models.rma_request import order_for_return
from portal.models.sent import known, once
from portal.models.shipment import Shipment
from portal.models.shop import Shop
from portal.pages import photos
from portal.pages.brand import page_locale, url_in
from portal.pages.claim_words import KINDS, WANTED
from portal.pages.dates import Calendar
from portal.pages.entry import enter, guard, order_urls, see
from portal.pages.load import Opened
from portal.pages.speech import _
from portal.protection.claim_rules import PHOTOGRAPHED
from portal.sources.sentences import Invalid
from portal.tenancy import shop_in_scope

bp = Blueprint("claims", __name__)
bp.after_request(guard)
LONGEST: Final = 2_000
WHOLE: Final = ("lost", "not_received")  # usually about all that is in the parcel


@dataclass(frozen=True)
class Claiming:
    """One visit: the link, the order, its parcels, and which of them is meant."""

    token: str
    link: Opened
    here: Situation
    parcels: list[Shipment]
    parcel: Shipment | None
    kinds: list[Kind]
    now: datetime
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def calendar(self) -> Calendar:
        """Dates as the reader reads them, where the parcel goes."""
        return Calendar.at(self.now, page_locale(), str(Day.of(self.here.order).zone))

    @property
    def kind(self) -> Kind | None:
        """What happened, once it was said and fits the parcel."""
        said = request.values.get("kind", "")
        return next((each for each in self.kinds if each.code == said), None)


@bp.get("/t/<token>/claim")
def form(token: str) -> Response:
    """What happened; with that in the address, the rest of the form."""
    here = _here(token)
    if here.kind is None or here.parcel is None:
        return _start(here)
    return _form(here) if here.link.grade == "act" else _confirm(token)


@bp.post("/t/<token>/claim")
def send(token: str) -> Response:
    """Store the claim, once; then its own page. 422 with what is missing."""
    here = _here(token)
    if here.kind is None or here.parcel is None:
        return _start(here, 422)
    if here.link.grade != "act":
        return _confirm(token)
    key = f"claim:{here.link.order_id}:{request.form.get('key', '')[:40]}"
    if made := known(key):
        return see(url_in("claim.page", token=made.partition(" ")[0]))
    kept = _photos(here)
    asked = _asked(here, len(kept))
    if not asked.lines:
        here.errors["lines"] = _("Choose what it is about.")
    if here.errors:
        return _form(here, 422, kept)
    try:
        with writing():
            made = once(key, here.now, lambda: _store(here, asked))
            claim_token, _sep, claim_id = made.partition(" ")
            Photo.attach_to_claim(kept, here.link.order_id, claim_id)
    except (Conflict, Invalid) as error:
        told = error.errors[0]["message"] if isinstance(error, Invalid) else str(error)
        session.rollback()
        return _form(_here(token), 409, kept, told)
    nudge("settle")
    nudge("send")
    return see(url_in("claim.page", token=claim_token))


def _confirm(token: str) -> Response:
    """Who came by number and e-mail alone shows first that the address is theirs."""
    return see(url_in("codes.enter_code", token=token, then="claim"))


def _here(token: str) -> Claiming:
    now = clock.now()
    link = enter(token, now)
    order = order_for_return(link.order_id) or abort(404)
    here, parcels = Situation.of(order), parcels_of(order.id)
    named = request.values.get("shipment", "")
    parcel = next((each for each in parcels if each.id == named), None)
    if parcel is None and len(parcels) == 1:
        parcel = parcels[0]
    seen = [parcel] if parcel else parcels
    kinds = {kind.code: kind for each in seen for kind in kinds_of(here, each, now)}
    return Claiming(token, link, here, parcels, parcel, list(kinds.values()), now)


def _store(here: Claiming, asked: AskedClaim) -> str:
    order = order_for_return(here.link.order_id, lock=True) or abort(404)
    claim = request_claim(order, asked, "page", "customer", here.now)
    return f"{claim.token} {claim.id}"


def _asked(here: Claiming, photo_count: int) -> AskedClaim:
    """What was sent; amounts and states are ours and are not read."""
    kind, parcel = here.kind, here.parcel
    assert kind is not None and parcel is not None  # noqa: S101, PT018 - the caller looked
    free = free_of(here.here, parcel)
    lines: dict[str, int] = {}
    for place, sku in enumerate(request.form.getlist("sku")):
        if f"take-{place}" in request.form and free.get(sku):
            wanted = request.form.get(f"quantity-{place}", 1, type=int)
            lines[sku] = max(1, min(wanted, len(free[sku])))
    wish = request.form.get("wanted", "")
    return AskedClaim(
        kind=kind.code,
        shipment_id=parcel.id,
        lines=lines,
        wanted=wish if wish in WANTED else "refund",
        statement=request.form.get("statement", "")[:LONGEST],
        police_report=request.form.get("police_report", "")[:120],
        photos=photo_count,
    )


def _photos(here: Claiming) -> list[str]:
    """The photos of the form: those taken before, and those just added."""
    mine = Photo.unattached(request.form.getlist("photo_id"), here.link.order_id)
    gone = request.form.getlist("remove")
    kept = [each for each in mine if each not in gone]
    try:
        added, problem = photos.take(here.link.order_id, "", "photo", len(kept))
    except Conflict as error:
        added, problem = [], str(error)
    if problem:
        here.errors["photo"] = problem
    return kept + added


# --- what is shown ------------------------------------------------------------------------------


def _start(here: Claiming, status: int = 200) -> Response:
    said = "kind" in request.values
    text = render_template(
        "claims/start.html",
        order=here.here.order,
        parcels=[_parcel_shown(here, p) for p in here.parcels] if len(here.parcels) > 1 else [],
        kinds=[(each.code, _(KINDS[each.code]), _note(each, here)) for each in here.kinds],
        chosen={name: request.values.get(name, "") for name in ("kind", "shipment")},
        errors={"kind": _("Say what happened.")} if said and here.kind is None else {},
        here=url_in(".form", token=here.token),
        urls=order_urls(here.token),
    )
    return make_response(text, 422 if said and status == 200 and here.kind is None else status)


def _form(
    here: Claiming, status: int = 200, kept: list[str] | None = None, message: str = ""
) -> Response:
    kind, parcel = here.kind, here.parcel
    if kind is None or parcel is None:
        return _start(here, status)
    terms = terms_of(session.get_one(Shop, shop_in_scope()))
    worth = max((money_of for *_rest, money_of in _articles(here, parcel)), default=0)
    limit = terms.police_report_from_minor
    text = render_template(
        "claims/form.html",
        order=here.here.order,
        kind=kind.code,
        title=_(KINDS[kind.code]),
        shipment=parcel.id,
        note=_waits(kind, here),
        last_day=here.calendar.long(kind.last_day),
        is_late=here.calendar.today > kind.last_day,
        rows=_rows(here, parcel, kind.code),
        wanted=[(code, _(words)) for code, words in WANTED.items()],
        typed=request.form,
        key=request.form.get("key") or secrets.token_urlsafe(12),
        photos=kept or [],
        asks_photos=kind.code in PHOTOGRAPHED,
        asks_police=kind.code == "not_received" and limit is not None and worth >= limit,
        errors=here.errors,
        message=message,
        here=url_in(".form", token=here.token),
        back=url_in(".form", token=here.token),
        urls=order_urls(here.token),
    )
    return make_response(text, status)


def _articles(here: Claiming, parcel: Shipment) -> list[tuple[str, Any, int, int]]:
    """Each article of the parcel with its line, how many are free, and what they cost."""
    return [
        (
            sku,
            units[0][0],
            len(units),
            sum(here.here.money[unit.id].paid_minor for _line, unit in units),
        )
        for sku, units in free_of(here.here, parcel).items()
        if units
    ]


def _rows(here: Claiming, parcel: Shipment, kind: str) -> list[Mapping[str, Any]]:
    articles = _articles(here, parcel)
    pictures = Picture.kept(line.image_url for _sku, line, *_more in articles)
    whole = kind in WHOLE or len(articles) == 1
    order = here.here.order
    return [
        {
            "sku": sku,
            "title": line.title,
            "variant": line.variant,
            "picture": f"/media/{pictures[line.image_url]}" if line.image_url in pictures else "",
            "free": count,
            "each": "" if order.gift else money(worth // count, order.currency, page_locale()),
            "taken": f"take-{place}" in request.form if request.form else whole,
            "quantity": request.form.get(f"quantity-{place}", count if whole else 1, type=int),
        }
        for place, (sku, line, count, worth) in enumerate(articles)
    ]


def _parcel_shown(here: Claiming, parcel: Shipment) -> tuple[str, str, str]:
    """Its id, what it is called, and how far it came."""
    at = parcel.delivered_at
    day = here.calendar.long(here.calendar.local(at).date()) if at else ""
    named = " ".join(part for part in (parcel.carrier, parcel.tracking_number) if part)
    return parcel.id, named, _("Delivered on %(day)s", day=day) if day else _("Not delivered yet")


def _note(kind: Kind, here: Claiming) -> str:
    """From which day, or until which one."""
    if kind.opens_on > here.calendar.today:
        return _("We open it for you on %(day)s.", day=here.calendar.long(kind.opens_on))
    if kind.last_day < here.calendar.today:
        return _(
            "The last day was %(day)s; a person decides.", day=here.calendar.long(kind.last_day)
        )
    return _("Until %(day)s.", day=here.calendar.long(kind.last_day))


def _waits(kind: Kind, here: Claiming) -> str:
    """What is said above the form of a claim that is too early; "" for any other."""
    if kind.opens_on <= here.calendar.today:
        return ""
    return _(
        "Many parcels turn up in a few days. Send it now and we open it for you on %(day)s, unless "
        "the parcel has arrived by then.",
        day=here.calendar.long(kind.opens_on),
    )
