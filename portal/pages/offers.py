"""What the steps of a return show: articles with their last day, ways out with their money."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import or_, select

from portal.db import session
from portal.format import money
from portal.models import Order, Variant
from portal.models.catalog import Picture
from portal.models.rma_facts import Asked
from portal.models.rma_request import Weighed, weigh
from portal.models.unit_claim import held_units
from portal.pages.dates import Calendar
from portal.pages.policy_words import METHODS, RESOLUTIONS, because
from portal.pages.speech import N_, _
from returns.money import Amounts, label_cost, pay

MOST_VARIANTS: Final = 40
SIZED: Final = ("cloth", "apparel", "shoe", "fashion", "wear", "dress", "shirt")
FITTING: Final = ("too_small", "too_large", "style", "unlike_photo")
OTHERWISE: Final = ("style", "unlike_photo", "arrived_broken", "missing_part")
ALWAYS: Final = ("faulty", "wrong_item", "changed_mind", "other")


@dataclass(frozen=True, slots=True)
class Article:
    """One article of the order, as the first step shows it."""

    sku: str
    title: str
    variant: str
    picture: str  # URL, or ""
    ordered: int
    free: int  # how many can still be asked for
    last_day: str
    note: str  # why it cannot come back, or what waits; "" when all is well
    is_open: bool  # whether it can be chosen without more
    if_faulty: bool  # whether it can be chosen because something is wrong with it


def articles(order: Order, now: datetime, calendar: Calendar) -> list[Article]:
    """Everything that was ordered; what cannot come back stays in sight, with the reason."""
    free = _free(order)
    asked = [Asked(sku, count) for sku, count in free.items() if count]
    weighed = _by_sku(order, asked, now)
    closed = [each.asked for each in weighed.values() if each.outcome == "decline"]
    faulty = _by_sku(order, [replace(each, reason="faulty") for each in closed], now)
    rescued = {sku for sku, each in faulty.items() if each.outcome != "decline"}
    pictures = Picture.kept(line.image_url for line in order.lines)
    found: dict[str, Article] = {}
    for line in order.lines:
        if line.sku not in found:
            picture = pictures.get(line.image_url)
            found[line.sku] = _article(
                line,
                sum(each.quantity for each in order.lines if each.sku == line.sku),
                free[line.sku],
                weighed.get(line.sku),
                f"/media/{picture}" if picture else "",
                calendar,
                line.sku in rescued,
            )
    return list(found.values())


def _by_sku(order: Order, asked: Sequence[Asked], now: datetime) -> dict[str, Weighed]:
    weighed = weigh(order, asked, "page", now, strict=False) if asked else []
    return {each.asked.sku: each for each in weighed}


def _free(order: Order) -> dict[str, int]:
    held = held_units(unit.id for line in order.lines for unit in line.units)
    free: dict[str, int] = {}
    for line in order.lines:
        count = sum(unit.id not in held for unit in line.units)
        free[line.sku] = free.get(line.sku, 0) + count
    return free


def _article(
    line: Any,
    ordered: int,
    free: int,
    weighed: Weighed | None,
    picture: str,
    calendar: Calendar,
    rescued: bool,
) -> Article:
    note, is_open, last = _("This is in a return or claim already."), False, ""
    if weighed is not None:
        decision = weighed.decision
        day = decision.effects.last_day
        last = calendar.long(day) if day else ""
        is_open = weighed.outcome != "decline"
        note = "" if is_open else because(decision.because, decision.values, calendar)
    return Article(
        sku=line.sku,
        title=line.title,
        variant=line.variant,
        picture=picture,
        ordered=ordered,
        free=free,
        last_day=last,
        note=note,
        is_open=is_open,
        if_faulty=rescued,
    )


def reasons_for(category: str) -> list[str]:
    """At most eight reasons that fit what it is, "something else" last."""
    fits = any(word in category.casefold() for word in SIZED)
    return [*(FITTING if fits else OTHERWISE), *ALWAYS]


@dataclass(frozen=True, slots=True)
class Choice:
    """One way out for an article, with its money."""

    code: str
    title: str
    total: str
    note: str
    variants: Sequence[tuple[str, str]] = ()  # of an exchange: sku and what is shown


def choices(order: Order, each: Weighed, amounts: dict[str, Amounts], locale: str) -> list[Choice]:
    """The ways out that the rules offer for an article; none is shown smaller than another."""
    effects = each.decision.effects
    if effects.keep:
        total = money(amounts["refund"].total_minor, order.currency, locale)
        note = _("You need not send it back: keep it or give it to somebody.")
        return [Choice("refund", _("Your money back, and you keep it"), total, note)]
    found = []
    for code in effects.resolutions:
        variants = _variants(order, each, locale) if code == "exchange" else ()
        if code == "exchange" and not variants:
            continue
        if code == "store_credit" and order.customer_id is None:
            continue
        paid = amounts[code]
        total = money(paid.total_minor, order.currency, locale)
        note = _note(code, paid, order.currency, locale)
        found.append(Choice(code, _(RESOLUTIONS[code]), total, note, variants))
    return found


def _note(code: str, paid: Amounts, currency: str, locale: str) -> str:
    parts = []
    if code == "refund":
        parts.append(_("To the way you paid. Banks usually show it within 5 days."))
    if code == "store_credit":
        parts.append(_("To spend in our shop."))
    if code == "exchange":
        parts.append(_("We keep the other one for you and send it once yours is on its way back."))
    if paid.bonus_minor:
        bonus = money(paid.bonus_minor, currency, locale)
        parts.append(_("Includes a bonus of %(amount)s.", amount=bonus))
    if paid.fee_minor:
        fee = money(paid.fee_minor, currency, locale)
        parts.append(_("A fee of %(amount)s is taken off.", amount=fee))
    return " ".join(parts)


def _variants(order: Order, each: Weighed, locale: str) -> list[tuple[str, str]]:
    """The other variants of the same product that are to be had."""
    if not each.line.product:
        return []
    rows = session.scalars(
        select(Variant)
        .where(
            Variant.product == each.line.product,
            Variant.currency == order.currency,
            or_(Variant.available.is_(None), Variant.available >= len(each.units)),
        )
        .order_by(Variant.title, Variant.sku)
        .limit(MOST_VARIANTS)
    )
    paid = each.money[0].price_minor
    found = []
    for row in rows:
        differs = row.price_minor - paid
        sign = "+" if differs > 0 else "−"
        more = f" ({sign}{money(abs(differs), row.currency, locale)})" if differs else ""
        options = ", ".join(str(value) for value in row.options.values())
        found.append((row.sku, f"{options or row.title}{more}"))
    return found


@dataclass(frozen=True, slots=True)
class Way:
    """One way back and what it costs."""

    code: str
    title: str
    cost: str
    note: str


def ways(weighed: Sequence[Weighed], currency: str, locale: str) -> list[Way]:
    """The ways back that are open to everything that travels; none where nothing does."""
    travelling = [each.decision.effects for each in weighed if not each.decision.effects.keep]
    if not travelling:
        return []
    common = [way for way in travelling[0].methods if all(way in e.methods for e in travelling)]
    found = []
    for code in common:
        cost = label_cost([(each.decision.effects, code) for each in weighed])
        free = _("Your postage") if code == "own_label" else _("Free")
        shown = money(cost, currency, locale) if cost else free
        found.append(Way(code, _(METHODS[code]), shown, _(WAY_NOTES[code])))
    return found


WAY_NOTES: Final = {
    "label": N_("You need a printer. Any counter of the carrier takes it."),
    "qr": N_("No printer needed: they print the label at the counter."),
    "own_label": N_("You choose and pay the carrier, and tell us the number."),
    "in_store": N_("Bring it along with the return's number. No printer needed."),
    "pickup": N_("The carrier comes by and takes it along."),
}


def money_of(weighed: Sequence[Weighed], method: str) -> list[Amounts]:
    """What each article pays by the way out that was chosen for it."""
    cost = label_cost([(each.decision.effects, method or None) for each in weighed])
    parts = [
        (each.money, each.decision.effects, each.asked.resolution or "refund") for each in weighed
    ]
    return pay(parts, cost)
