"""What the steps of a return show: articles with their last day, ways out with their money."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final

from portal.format import money
from portal.models import Order
from portal.models.catalog import Picture
from portal.models.rma_facts import Asked
from portal.models.rma_request import Weighed, weigh
from portal.models.unit_claim import held_units
from portal.pages.dates import Calendar
from portal.pages.policy_words import METHODS, RESOLUTIONS, because
from portal.pages.promises import MOMENTS, visible_by
from portal.pages.promises import Way as Road
from portal.pages.speech import N_, _
from portal.pages.swaps import chosen, difference_words, goes_ahead, swaps
from returns.money import Amounts, label_cost, pay
from returns.policy import Policy

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
    is_late: bool  # whether it waits for its delivery
    return_url: str  # of the return that holds all of it, where one does

    @property
    def can(self) -> bool:
        """Whether it can be chosen at all."""
        return self.free > 0 and (self.is_open or self.if_faulty)


def articles(
    order: Order,
    now: datetime,
    calendar: Calendar,
    pages: Mapping[str, str],
    by_law: Policy | None = None,
) -> list[Article]:
    """Everything that was ordered; what cannot come back stays in sight, with the reason.

    `pages` are the addresses of the returns that hold something, by sku. `by_law` decides instead
    of the shop's own rules.
    """
    free = _free(order)
    asked = [Asked(sku, count) for sku, count in free.items() if count]
    weighed = _by_sku(order, asked, now, by_law)
    closed = [each.asked for each in weighed.values() if each.outcome == "decline"]
    faulty = _by_sku(order, [replace(each, reason="faulty") for each in closed], now, by_law)
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
                "" if free[line.sku] else pages.get(line.sku, ""),
            )
    return list(found.values())


def _by_sku(
    order: Order, asked: Sequence[Asked], now: datetime, by_law: Policy | None
) -> dict[str, Weighed]:
    weighed = weigh(order, asked, "page", now, strict=False, by_law=by_law) if asked else []
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
    return_url: str,
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
        is_late=weighed is not None and weighed.decision.because == "not_delivered_yet",
        return_url=return_url,
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
    aside: str = ""  # under the total
    variants: Sequence[tuple[str, str]] = ()  # of an exchange: sku and what is shown


@dataclass(frozen=True, slots=True)
class Reader:
    """How the one who reads likes money and dates."""

    currency: str
    locale: str
    calendar: Calendar

    def money(self, minor: int) -> str:
        """An amount as it is read."""
        return money(minor, self.currency, self.locale)

    def day(self, day: date) -> str:
        """A day as it is read."""
        return self.calendar.long(day)


def choices(
    order: Order, each: Weighed, amounts: dict[str, Amounts], reader: Reader
) -> list[Choice]:
    """The ways out that the rules offer for an article; none is shown smaller than another."""
    effects = each.decision.effects
    if effects.keep:
        note = _("You need not send it back: keep it or give it to somebody.")
        total = reader.money(amounts["refund"].total_minor)
        return [Choice("refund", _("Your money back, and you keep it"), total, note)]
    found = []
    for code in effects.resolutions:
        if code == "exchange":
            found += _exchange(order, each, amounts[code], reader)
        elif code != "store_credit" or order.customer_id is not None:
            total = reader.money(amounts[code].total_minor)
            note = _note(code, each, amounts[code], reader)
            found.append(Choice(code, _(RESOLUTIONS[code]), total, note))
    return found


def _exchange(order: Order, each: Weighed, gives: Amounts, reader: Reader) -> list[Choice]:
    """The card of an exchange; none where nothing else is in stock."""
    found = swaps(order, each, gives)
    if not found:
        return []
    named = chosen(found, each.asked.exchange_sku)
    total, aside = "", _("the difference stands beside each")
    if named is not None or not any(
        s.difference.due_minor or s.difference.left_minor for s in found
    ):
        difference = (named or found[0]).difference
        total = reader.money(difference.due_minor or difference.left_minor)
        aside = difference_words(difference, reader.currency, reader.locale)
    variants = [(swap.sku, swap.title(reader.currency, reader.locale)) for swap in found]
    note = _note("exchange", each, gives, reader)
    if any(goes_ahead(each, s, way) for s in found for way in each.decision.effects.methods):
        note = f"{note} {_(AT_ONCE, days=each.decision.effects.instant_days)}"
    return [Choice("exchange", _(RESOLUTIONS["exchange"]), total, note, aside, variants)]


def _note(code: str, each: Weighed, paid: Amounts, reader: Reader) -> str:
    """Where it goes, when, and what is added or taken off."""
    step = each.decision.effects.money_moves_at(code)
    today = reader.calendar.today
    by = Road(decided=today).money_by(step, today)
    parts = []
    if code == "refund":
        parts = [_("To the way you paid."), _(MOMENTS[step], day=reader.day(by))]
        parts.append(_("Banks usually show it by %(day)s.", day=reader.day(visible_by(by))))
    if code == "store_credit":
        parts = [_("To spend in our shop."), _(MOMENTS[step], day=reader.day(by))]
    if code == "exchange":
        parts = [_("We keep the other one for you."), _(SENT_AT[step], day=reader.day(by))]
    if paid.bonus_minor:
        parts.append(_("Includes a bonus of %(amount)s.", amount=reader.money(paid.bonus_minor)))
    if paid.fee_minor:
        parts.append(_("A fee of %(amount)s is taken off.", amount=reader.money(paid.fee_minor)))
    if paid.label_minor:
        label = reader.money(paid.label_minor)
        parts.append(_("%(amount)s for the way back is taken off.", amount=label))
    return " ".join(parts)


AT_ONCE: Final = N_(
    "Or have it at once: save a card after you send this, and it goes out before yours is back. "
    "Nothing is charged if you send yours within %(days)d days."
)
SENT_AT: Final = {
    "label": N_("It goes out at once."),
    "first_scan": N_("It goes out as soon as yours is on its way: by %(day)s, if you send today."),
    "arrival": N_("It goes out as soon as yours is back: by %(day)s, if you send it today."),
    "inspection": N_("It goes out once we have looked at yours: by %(day)s, if you send it today."),
}


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
