"""The money box of a return: what is given for what, by when, and when it is to be seen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

from portal.db import session
from portal.format import money
from portal.models import Exchange, Link, Order, Return, ReturnLine, Settlement, Variant
from portal.models.exchange import exchanges_of
from portal.models.rma_money import Part, Wish, priced
from portal.models.settlement import settlements_of
from portal.pages.brand import page_locale, url_in
from portal.pages.dates import Calendar
from portal.pages.policy_words import RESOLUTIONS
from portal.pages.promises import Way, visible_by
from portal.pages.speech import _
from portal.pages.swaps import difference_words
from portal.payments.stripe_amounts import finest
from returns.money import Difference, exchange_difference

ENDED: Final = ("declined", "cancelled", "expired")
GIVEN: Final = ("refund", "store_credit", "exchange")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the box; `said` are sentences beneath it, `url` leads to a new order."""

    what: str
    amount: str
    said: tuple[str, ...]
    url: str = ""


def way_of(rma: Return, calendar: Calendar) -> Way:
    """The days of its way so far."""

    def day(name: str) -> date | None:
        at = getattr(rma, name)
        return calendar.local(at).date() if at else None

    return Way(
        decided=day("decided_at") or calendar.today,
        sent=day("shipped_at"),
        arrived=day("arrived_at"),
        checked=day("checked_at"),
    )


def money_rows(rma: Return, calendar: Calendar) -> list[Row]:
    """What was settled; before that, what it comes to if everything comes back as it was said."""
    rows = [row for row in settlements_of(rma.id) if row.is_live and row.kind in GIVEN]
    settled = [_settled(row, calendar) for row in rows]
    if rma.status in ENDED:
        return settled
    open_lines = [line for line in rma.approved_lines if not _is_settled(line)]
    return [*settled, *_expected(rma, open_lines, calendar)]


def _is_settled(line: ReturnLine) -> bool:
    return all(
        unit.settlement_id is not None or unit.acceptance == "rejected" for unit in line.units
    )


# --- what was settled ---------------------------------------------------------------------------


def _settled(row: Settlement, calendar: Calendar) -> Row:
    what = _(RESOLUTIONS[row.kind])
    if row.kind == "exchange":
        return _exchanged(row, what)
    amount = money(row.amount_minor, row.currency, page_locale())
    if row.status == "failed":
        return Row(what, amount, (_("It did not go through. We are on it."),))
    if row.status != "done" or row.done_at is None:
        seen = calendar.long(visible_by(calendar.today))
        return Row(what, amount, (_("On its way. Usually visible by %(day)s.", day=seen),))
    sent = calendar.local(row.done_at).date()
    if row.kind == "store_credit":
        return Row(what, amount, (_("Yours to spend since %(day)s.", day=calendar.long(sent)),))
    said = (
        _("Sent on %(day)s to the way you paid.", day=calendar.long(sent)),
        _("Banks usually show it by %(day)s.", day=calendar.long(visible_by(sent))),
    )
    return Row(what, amount, said)


def _exchanged(row: Settlement, what: str) -> Row:
    exchange = session.get(Exchange, row.exchange_id) if row.exchange_id else None
    if exchange is None:
        return Row(what, "", ())
    what = _("Exchange for %(other)s", other=exchange.title or exchange.sku)
    difference = Difference(**exchange.difference) if exchange.difference else None
    amount = difference_words(difference, row.currency, page_locale()) if difference else ""
    order = session.get(Order, exchange.order_id) if exchange.order_id else None
    if order is not None:
        token = Link.of(order.id)
        url = url_in("tracking.page", token=token) if token else ""
        return Row(what, amount, (_("It is order %(number)s now.", number=order.number),), url)
    return Row(what, amount, (_("It is sent once the difference is paid."),))


# --- what is to come ----------------------------------------------------------------------------


def _expected(rma: Return, lines: list[ReturnLine], calendar: Calendar) -> Iterator[Row]:
    wishes = [Wish(line, line.units, line.resolution) for line in rma.approved_lines]
    way = way_of(rma, calendar)
    kept = {each.rma_line_id: each for each in exchanges_of(rma.id)}
    for part in priced(wishes, rma.label_minor):
        line = part.wish.line
        if line not in lines:
            continue
        by = way.money_by(line.moves_at(), calendar.today)
        if part.wish.paid_as == "exchange":
            yield _swap(part, kept.get(line.id), by, calendar)
        else:
            yield _promised(part, by, calendar, named=len(rma.approved_lines) > 1)


def _promised(part: Part, by: date, calendar: Calendar, *, named: bool) -> Row:
    line, amounts = part.wish.line, part.amounts
    what = _(RESOLUTIONS[part.wish.paid_as])
    shown = money(amounts.total_minor, line.rma.currency, page_locale())
    day = calendar.long(by)
    if part.wish.paid_as == "store_credit":
        said = [_("Yours to spend by %(day)s.", day=day)]
    else:
        seen = calendar.long(visible_by(by))
        said = [
            _("Sent by %(day)s to the way you paid.", day=day),
            _("Banks usually show it by %(day)s.", day=seen),
        ]
    title = f"{what}: {line.title or line.sku}" if named else what
    return Row(title, shown, (*_parts(part), *said))


def _parts(part: Part) -> Iterator[str]:
    """What was added or taken off, in words."""
    currency, amounts = part.wish.line.rma.currency, part.amounts

    def shown(minor: int) -> str:
        return money(minor, currency, page_locale())

    if amounts.shipping_minor:
        yield _("With %(amount)s for shipping.", amount=shown(amounts.shipping_minor))
    if amounts.bonus_minor:
        yield _("Includes a bonus of %(amount)s.", amount=shown(amounts.bonus_minor))
    if amounts.fee_minor:
        yield _("A fee of %(amount)s is taken off.", amount=shown(amounts.fee_minor))
    if amounts.label_minor:
        yield _("%(amount)s for the way back is taken off.", amount=shown(amounts.label_minor))


def _swap(part: Part, kept: Exchange | None, by: date, calendar: Calendar) -> Row:
    line = part.wish.line
    variant = None if kept else Variant.of(line.exchange_sku)
    name = (kept.title if kept else variant.title if variant else "") or line.exchange_sku
    currency = line.rma.currency
    cost_minor = _price(part, kept, variant)
    difference = exchange_difference(part.amounts, cost_minor, finest(currency))
    amount = difference_words(difference, currency, page_locale())
    said = [_("It goes out by %(day)s.", day=calendar.long(by))]
    if kept is not None and kept.expires_at is not None:
        day = calendar.long(calendar.local(kept.expires_at).date())
        said.append(_("Kept for you until %(day)s.", day=day))
    return Row(_("Exchange for %(other)s", other=name), amount, tuple(said))


def _price(part: Part, kept: Exchange | None, variant: Variant | None) -> int:
    units = part.wish.units
    price = kept.unit_price_minor if kept else variant.price_minor if variant else 0
    is_even = kept.is_even if kept else price == units[0].share.price_minor
    return sum(unit.share.paid_minor for unit in units) if is_even else price * len(units)
