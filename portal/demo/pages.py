"""The rehearsal's own pages: what there is to see, and a button that sends a parcel on its way."""

from __future__ import annotations

import secrets

from flask import Blueprint, abort, current_app, g, redirect, render_template, url_for
from werkzeug.wrappers import Response

from portal import clock
from portal.demo.claims import mishaps_shown
from portal.demo.desk import door, errands_shown
from portal.demo.seeds import orders_shown, place, register
from portal.demo.tales import BRANDS, Parcel, Tale, number_for

bp = Blueprint("demo", __name__, url_prefix="/demo")
STORY_SECONDS = 60  # twelve days told in a minute


@bp.get("")
def index() -> str:
    """Every demo order of both brands, with what it shows."""
    return render_template(
        "demo/index.html",
        brands=list(orders_shown()),
        customers={brand.slug: brand for brand in BRANDS},
        sendable={slug: (try_out, under_way) for slug, try_out, under_way in errands_shown()},
        mishaps=dict(mishaps_shown()),
        doors={brand.slug: door(brand.slug, clock.now()) for brand in BRANDS},
        moves=bool(current_app.config["SANDBOX"]),
    )


@bp.post("/parcels")
def send() -> Response:
    """Place an order whose parcel travels its twelve days within the next minute."""
    brand = next((b for b in BRANDS if b.slug == g.shop.slug), BRANDS[0])
    number = 700_000 + secrets.randbelow(200_000)
    carrier = brand.tales[0].parcels[0].carrier
    parcel = Parcel("on_time", carrier, number_for(carrier, number), seconds=STORY_SECONDS)
    tale = Tale(f"{number}", "Moving now", (parcel,), goods=(number % 8,), days_ago=13)
    now = clock.now()
    if not current_app.config["SANDBOX"]:
        abort(404)  # a real provider's parcels move by themselves
    register(current_app.config["SANDBOX"], brand, parcel, now)
    token = place(g.shop_id, brand, tale, now)
    # Where the form was: browsers hold a form's redirect to the policy of the page it stood on.
    return redirect(url_for("tracking.page", token=token), 303)
