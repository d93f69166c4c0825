"""What stands beside the plan: what it costs by examples, and what it would have to cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from flask import g
from sqlalchemy import select

from portal import clock
from portal.db import session
from portal.format import money
from portal.models import PlanVersion
from portal.models.losses import losses_by_lane
from portal.models.protection import live_plan
from portal.pages.dates import Calendar
from portal.protection.plan import Plan
from portal.protection.price import price
from portal.protection.suggest import CAUSES, TARGET_POINTS, Losses, Suggestion, suggest
from portal.staff.return_shown import when
from returns.money import exponent

EXAMPLES: Final = (25, 50, 100, 250, 500)  # of the whole unit
MOST_LANES: Final = 12
WORDS: Final = {"lost": "Lost", "not_received": "Not received", "damaged": "Damaged"}


@dataclass(frozen=True)
class Example:
    """One article that goes to the shop's own country."""

    unit_price_minor: int
    sku: str = ""
    category: str = ""
    quantity: int = 1
    discount_minor: int = 0


def beside_plan() -> Mapping[str, Any]:
    """Examples, suggestions for each lane, and the versions before."""
    now = clock.now()
    live = live_plan(now)
    currency = live.plan.currency if live else str(g.shop.currency)
    lanes = losses_by_lane(currency, now)[:MOST_LANES]
    calendar = Calendar.at(now, "en", g.shop.timezone)
    newest = select(PlanVersion).order_by(PlanVersion.version.desc()).limit(10)
    return {
        "live": live.version if live else 0,
        "examples": _examples(live.plan) if live else [],
        "lanes": [_lane(each, currency) for each in lanes if each.parcels],
        "versions": [
            (each.version, when(each.since, calendar), each.created_by.partition(" ")[2], each.note)
            for each in session.scalars(newest)
        ],
    }


def _examples(plan: Plan) -> list[tuple[str, str]]:
    """What cover costs for orders of some values."""
    found = []
    for whole in EXAMPLES:
        minor = whole * 10 ** exponent(plan.currency)
        asked = price(plan, [Example(minor)], plan.currency, str(g.shop.country))
        told = money(asked.premium_minor, plan.currency, "en")
        found.append((money(minor, plan.currency, "en"), "not offered" if asked.why_not else told))
    return found


def _lane(losses: Losses, currency: str) -> dict[str, Any]:
    """A suggestion with its arithmetic in whole amounts."""
    found = suggest(losses)
    return {
        "name": "All parcels" if losses.lane == "all" else losses.lane,
        "share": _percent(found.basis_points),
        "points": found.basis_points,
        "is_thin": found.is_thin,
        "parcels": found.parcels,
        "arithmetic": _arithmetic(losses, found, currency),
    }


def _arithmetic(losses: Losses, found: Suggestion, currency: str) -> list[str]:
    lost, value = (money(n, currency, "en") for n in (found.lost_minor, found.value_minor))
    target = _percent(TARGET_POINTS)
    told = [
        f"{WORDS[cause]}: {losses.claims.get(cause, 0)} of {losses.parcels} parcels, "
        f"{money(losses.claimed_minor.get(cause, 0), currency, 'en')}"
        for cause in CAUSES
    ]
    told.append(f"Lost in all: {lost} of {value} sent, {_percent(found.loss_points)}")
    told.append(f"{target} of the premiums are to be paid out again")
    capped = " and more, so the most that is fair to ask" if found.is_capped else ""
    told.append(f"{lost} / {value} / {target} = {_percent(found.basis_points)}{capped}")
    return told


def _percent(points: int) -> str:
    return f"{points / 100:g} %"
