"""What a shop sets besides its rules: the plan of its protection and its terms of claims."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import Response, abort, flash, g, make_response, redirect, render_template, request
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from portal import clock
from portal.db import session, writing
from portal.models import PlanVersion
from portal.models.change import Conflict
from portal.models.claim_facts import SETTING
from portal.models.claim_terms import change_terms, shop_to_change
from portal.models.protection import live_plan
from portal.models.shop import Shop
from portal.protection.claim_terms import ClaimTerms
from portal.protection.plan import Plan
from portal.sources.sentences import Invalid, read_as
from portal.staff.desk import bp
from portal.staff.rights import confirmed, me, needs
from portal.staff.schema_form import form_of
from portal.staff.settings_shown import beside_plan
from portal.staff.widget_groups import Record, add_row, placed
from portal.staff.widgets import Problems, Typed
from portal.tenancy import shop_in_scope

MOST_WHY: Final = 500
Document = dict[str, Any]


@dataclass(frozen=True)
class Sheet:
    """One page of settings: what it is about, what holds now, and how it is changed."""

    title: str
    about: str
    currency: Callable[[], str]
    form: Callable[[str], Record]
    current: Callable[[Mapping[str, Any]], Document | None]  # out of the shop's settings
    change: Callable[[Shop, Document, str], None]
    beside: Callable[[], Mapping[str, Any]] = dict


def _plan_currency() -> str:
    live = live_plan(clock.now())
    return live.plan.currency if live else str(g.shop.currency)


def _plan(_settings: Mapping[str, Any]) -> Document | None:
    live = live_plan(clock.now())
    return live.plan.to_json() if live else None


def _new_plan() -> Document:
    """What a shop begins with that sells no protection yet."""
    price = {"kind": "share", "basis_points": 200}
    return {"price": price, "provider": {"name": g.shop.name}}


def _publish_plan(_shop: Shop, document: Document, why: str) -> None:
    currency = _plan_currency()
    PlanVersion.publish({**document, "currency": currency}, me().who, clock.now(), why)


def _terms(settings: Mapping[str, Any]) -> Document:
    return read_as(ClaimTerms, settings.get(SETTING) or {}).model_dump(mode="json")


def _change_terms(shop: Shop, document: Document, why: str) -> None:
    change_terms(shop, document, me().who, why)


SHEETS: Final = {
    "protection": Sheet(
        title="Protection plan",
        about="What cover for a parcel costs and what it covers. Quotes that were given stay.",
        currency=_plan_currency,
        form=lambda currency: form_of(Plan.model_json_schema(), currency, without="currency"),
        current=_plan,
        change=_publish_plan,
        beside=beside_plan,
    ),
    "claims": Sheet(
        title="Terms of claims",
        about="When something may be claimed, what is asked for, and what is paid at once.",
        currency=lambda: str(g.shop.currency),
        form=lambda currency: form_of(ClaimTerms.model_json_schema(), currency, without="version"),
        current=_terms,
        change=_change_terms,
    ),
}


@bp.get("/settings")
@needs("read")
def settings() -> Response:
    """Every page of settings."""
    sheets = [(name, sheet.title, sheet.about) for name, sheet in SHEETS.items()]
    return make_response(render_template("staff/settings.html", here="settings", sheets=sheets))


@bp.get("/settings/<name>")
@needs("policy")
@confirmed
def settings_sheet(name: str) -> Response:
    """One page of settings as they are."""
    sheet = SHEETS.get(name) or abort(404)
    typed: Typed = MultiDict()
    current = sheet.current(g.shop.settings)
    sheet.form(sheet.currency()).fill("", current or _new_plan(), typed)
    if request.args.get("share", "").isdigit() and name == "protection":
        points = request.args.get("share", 0, type=int)
        typed["price.kind"] = "share"
        typed["price.share.basis_points"] = f"{min(points, 10_000) / 100:g}"
    return _shown(name, sheet, typed, {})


@bp.post("/settings/<name>")
@needs("policy")
@confirmed
def settings_change(name: str) -> Response:
    """Change them, if they are still as the form showed them."""
    sheet = SHEETS.get(name) or abort(404)
    typed: Typed = MultiDict(request.form)
    form, problems = sheet.form(sheet.currency()), Problems()
    act, _, at = typed.get("act", "save").partition(":")
    if act == "more":
        add_row(form, "", at, typed)
        return _shown(name, sheet, typed, {})
    document = form.read("", typed, problems)
    if problems:
        return _shown(name, sheet, typed, problems, 422)
    why = typed.get("why", "").strip()[:MOST_WHY].replace("\0", "")
    try:
        with writing():
            shop = shop_to_change()
            if typed.get("seen") != _mark(sheet.current(shop.settings)):
                raise Conflict(CHANGED)
            sheet.change(shop, document, why)
    except Conflict as error:
        return _shown(name, sheet, typed, {}, 409, str(error))
    except Invalid as error:
        form.fill("", document, typed)
        found = {each["field"]: each["message"] for each in error.errors}
        return _shown(name, sheet, typed, placed(found, form.show("", typed, {})), 422)
    flash("Saved. It holds from now on.")
    return make_response(redirect(f"/staff/settings/{name}", 303))


CHANGED: Final = (
    "Somebody changed these settings while you had them open. Nothing of yours was saved yet, and "
    "nothing is lost: it stands in the form. Open the page in another tab to see what holds now, "
    "then save again."
)


def _mark(document: Document | None) -> str:
    """What a form carries, so that two people do not undo each other's changes unseen."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:32]


def settings_now() -> Mapping[str, Any]:
    """The shop's settings as they are now, and not as they were when this request began."""
    found: Mapping[str, Any] = session.scalars(
        select(Shop.settings).where(Shop.id == shop_in_scope())
    ).one()
    return found


def _shown(
    name: str, sheet: Sheet, typed: Typed, problems: Problems, status: int = 200, told: str = ""
) -> Response:
    text = render_template(
        "staff/settings_sheet.html",
        here="settings",
        name=name,
        sheet=sheet,
        seen=_mark(sheet.current(settings_now())),
        boxes=sheet.form(sheet.currency()).show("", typed, problems).parts,
        problems=problems,
        told=told,
        why=typed.get("why", ""),
        **sheet.beside(),
    )
    return make_response(text, status)
