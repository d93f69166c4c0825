"""What a mail about a return tells, read at the moment it is sent: days, amounts, what to do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select

from portal.db import session
from portal.format import money
from portal.mail import Item, ReturnFacts, plain
from portal.models import (
    CreditEntry,
    Exchange,
    Instant,
    Link,
    Order,
    Return,
    ReturnLine,
    Settlement,
    Shop,
)
from portal.models.credit import balances
from portal.models.exchange import OPEN as KEPT
from portal.models.exchange import exchanges_of
from portal.models.label import PRINTED, labels_of
from portal.models.rma_money import expected
from portal.models.rma_news import MONEY
from portal.models.settlement import settlements_of
from portal.pages.dates import Calendar
from portal.pages.policy_words import RESOLUTIONS, because
from portal.pages.promises import BACK_IN, CHECKED_IN, MOMENTS, Way, decided_by, visible_by
from portal.pages.rma_money import way_of
from portal.pages.rma_shown import how_to
from portal.pages.speech import _

STEPS_TOLD: Final = ("return_approved", "return_label", "return_reminder")


@dataclass(frozen=True, slots=True)
class Telling:
    """One mail about a return, in the reader's language; `told` is what its message keeps."""

    rma: Return
    shop: Shop
    told: dict[str, Any]
    locale: str
    now: datetime

    @property
    def calendar(self) -> Calendar:
        """Days are the shop's, in the reader's form."""
        return Calendar.at(self.now, self.locale, self.shop.timezone)

    @property
    def page(self) -> str:
        """The return's own page. Raises Unsealable."""
        return f"{self.shop.origin}/r/{self.rma.token}"

    def day(self, at: datetime | None, days: int = 0) -> str:
        """The day of a moment, or so many after it, in words."""
        return self.calendar.long(self.calendar.local(at).date() + days * DAY) if at else ""

    def money(self, amount_minor: int) -> str:
        """An amount; nothing where it is a gift: whoever was given it is not told its price."""
        return "" if self.rma.order.gift else money(amount_minor, self.rma.currency, self.locale)


DAY: Final = timedelta(days=1)


def facts_of(kind: str, here: Telling) -> ReturnFacts:
    """What the mail of this kind tells. Raises Unsealable."""
    facts = ReturnFacts(plain(here.rma.number), keeps=not here.rma.travels)
    if kind in STEPS_TOLD:
        facts = _with_way(facts, here)
    say = SAYS.get(kind)
    return say(facts, here) if say else facts


def link_of(kind: str, here: Telling) -> str:
    """Where the mail's one button leads: the return's page, or that of the order it became."""
    order_id = _exchange(here).order_id if kind == "return_exchanged" else None
    token = Link.of(order_id) if order_id else ""
    return f"{here.shop.origin}/t/{token}" if token else here.page


def items_of(kind: str, here: Telling) -> Iterator[tuple[Item, str]]:
    """The articles with what came of each, and the URL of each one's picture with the shop."""
    pictures = {line.id: line.image_url for line in here.rma.order.lines}
    group = _row(here).group_id if kind in MONEY else ""
    for line in here.rma.lines:
        note = _checked_note(line) if kind == "return_checked" else _declined_note(line, here)
        count = line.quantity
        if group:
            count, note = sum(unit.settlement_id == group for unit in line.units), ""
        if count:
            item = Item(line.title or line.sku, line.variant, count, note=note)
            yield item, pictures.get(line.line_id, "")


def _declined_note(line: ReturnLine, here: Telling) -> str:
    by_staff = here.rma.status == "declined" and here.rma.decided_by
    if line.outcome != "decline" or by_staff:
        return ""
    return _("Cannot go back. %(why)s", why=_why(line, here))


def _why(line: ReturnLine, here: Telling) -> str:
    told = line.decision
    return because(told["because"], told.get("values", {}), here.calendar)


def _checked_note(line: ReturnLine) -> str:
    if line.outcome == "decline" or line.keeps:
        return ""
    accepted = sum(unit.acceptance == "accepted" for unit in line.units)
    missing = sum(unit.reception in ("not_in_parcel", "lost") for unit in line.units)
    reasons = {unit.note.strip() for unit in line.units if unit.acceptance == "rejected"}
    said = [_("Accepted: %(some)d of %(all)d.", some=accepted, all=len(line.units))]
    if missing:
        said.append(_("Not in the parcel: %(count)d.", count=missing))
    for why in sorted(reasons):
        said.append(_("Not accepted: %(why)s", why=why) if why else _("Not accepted."))
    return " ".join(said)


# --- what each kind tells -----------------------------------------------------------------------


def _with_way(facts: ReturnFacts, here: Telling) -> ReturnFacts:
    """Until when it can be sent, how, and what is given for it."""
    rma, waits = here.rma, bool(here.told.get("without_label"))
    if not rma.travels:
        return replace(facts, amounts=_expected(here), after=_("Your money comes next by itself."))
    bought = [each for each in labels_of(rma.id) if each.status == "done"]
    label = bought[-1] if bought and rma.method in PRINTED and not waits else None
    return replace(
        facts,
        day=here.day(rma.expires_at),
        todo=(
            _("Pack everything that belongs to it, in any sturdy box."),
            _("Put in a note with the number %(number)s.", number=facts.number),
            *_how(rma),
        ),
        label=f"{here.page}/label" if label else "",
        code=f"{here.page}/label?as=code" if label and label.qr_url else "",
        waits_for_label=waits,
        amounts=_expected(here),
        moment=_moment(here),
    )


def _how(rma: Return) -> list[str]:
    told = how_to(rma)
    if rma.method == "own_label":
        return [*told[:1], _("Tell us carrier and number on its page, so that we can follow it.")]
    return told


def _expected(here: Telling) -> tuple[tuple[str, str], ...]:
    """What is given if everything comes back as it was said."""
    sums, lines = expected(here.rma), here.rma.approved_lines
    given = {"refund" if each.resolution == "keep" else each.resolution for each in lines}
    rows = [
        (_(RESOLUTIONS[name]), here.money(sums[name].total_minor))
        for name in ("refund", "store_credit")
        if name in given
    ]
    for each in exchanges_of(here.rma.id):
        if each.status in KEPT:
            rows.append((_("Exchange for %(other)s", other=each.title or each.sku), ""))
    return tuple(rows)


def _moment(here: Telling) -> str:
    """When what is given for it is given: of several moments the last."""
    steps = [line.moves_at() for line in here.rma.approved_lines]
    step = max(steps, key=list(MOMENTS).index)
    today = here.calendar.today
    day = Way(decided=today).money_by(step, today)
    return _(MOMENTS[step], day=here.calendar.long(day))


def _requested(facts: ReturnFacts, here: Telling) -> ReturnFacts:
    asked = here.calendar.local(here.rma.requested_at).date()
    return replace(facts, day=here.calendar.long(decided_by(asked)))


def _declined(facts: ReturnFacts, here: Telling) -> ReturnFacts:
    rma = here.rma
    if rma.note:
        return replace(facts, reason=rma.note)
    if not rma.decided_by and len(rma.lines) == 1:
        return replace(facts, reason=_why(rma.lines[0], here))
    return facts


def _shipped(facts: ReturnFacts, here: Telling) -> ReturnFacts:
    day = here.day(here.rma.shipped_at, BACK_IN)
    return replace(facts, day=day, after=_("We write again when it is here."))


def _arrived(facts: ReturnFacts, here: Telling) -> ReturnFacts:
    day = here.day(here.rma.arrived_at, CHECKED_IN)
    return replace(facts, day=day, after=_("We write again when we have looked at it."))


def _checked(facts: ReturnFacts, here: Telling) -> ReturnFacts:
    rma = here.rma
    units = [unit for line in rma.approved_lines if not line.keeps for unit in line.units]
    accepted = [unit for unit in units if unit.acceptance == "accepted"]
    today = here.calendar.today
    day = here.calendar.long(way_of(rma, here.calendar).money_by("inspection", today))
    after = _("What you get for it is sent by %(day)s. We write again then.", day=day)
    if accepted and all(unit.settlement_id for unit in accepted):
        after = _("What you get for it has its own mail.")
    return replace(facts, accepted=len(accepted), judged=len(units), after=after)


def _row(here: Telling) -> Settlement:
    return session.get_one(Settlement, here.told["settlement"])


def _exchange(here: Telling) -> Exchange:
    return session.get_one(Exchange, _row(here).exchange_id)


def _refunded(facts: ReturnFacts, here: Telling) -> ReturnFacts:
    row = _row(here)
    group = [
        each
        for each in settlements_of(here.rma.id)
        if each.group_id == row.group_id and each.kind == "refund" and each.is_live
    ]
    sent = here.calendar.local(row.done_at or here.now).date()
    total = here.money(sum(each.amount_minor for each in group))
    return replace(
        facts,
        amounts=((_("Sent on %(day)s", day=here.calendar.long(sent)), total),),
        day=here.calendar.long(visible_by(sent)),
        by_hand=bool(here.told.get("by_hand")),
    )


def _credited(facts: ReturnFacts, here: Telling) -> ReturnFacts:
    rma, row = here.rma, _row(here)
    given = session.scalars(
        select(CreditEntry).where(CreditEntry.cause.in_((f"{row.id}:credited", f"{row.id}:bonus")))
    ).all()
    ends = max((each.expires_at for each in given if each.expires_at), default=None)
    if rma.order.gift or rma.customer_id is None:
        return replace(facts, ends=here.day(ends))
    balance = balances(rma.customer_id, here.now).get(rma.currency, 0)
    rows = [(_("New credit"), here.money(sum(each.amount_minor for each in given)))]
    rows.append((_("All your credit here"), here.money(balance)))
    return replace(facts, amounts=tuple(rows), ends=here.day(ends))


def _exchanged(facts: ReturnFacts, here: Telling) -> ReturnFacts:
    exchange = _exchange(here)
    order = session.get(Order, exchange.order_id) if exchange.order_id else None
    other = plain(exchange.title or exchange.sku)
    return replace(facts, other=other, order=plain(order.number) if order else "")


def _due(facts: ReturnFacts, here: Telling) -> ReturnFacts:
    exchange, row = _exchange(here), _row(here)
    amount = money(row.amount_minor, row.currency, here.locale)
    return replace(
        facts,
        other=plain(exchange.title or exchange.sku),
        amounts=((_("To be paid"), amount),),
        day=here.day(exchange.expires_at),
    )


def _charge(facts: ReturnFacts, here: Telling) -> ReturnFacts:
    """What is charged to the saved card at most, or was, and on which day."""
    row = session.get_one(Instant, here.told["instant"])
    exchange = session.get_one(Exchange, row.exchange_id)
    minor = row.charging_minor or row.amount_minor
    amount = money(minor, row.currency, here.locale)
    last4 = row.last4 or "…"
    what = _("Card ending in %(last4)s", last4=last4)
    day = here.day(max(row.charge_at, here.now))
    other = plain(exchange.title or exchange.sku)
    return replace(facts, other=other, amounts=((what, amount),), day=day)


SAYS: Final[dict[str, Callable[[ReturnFacts, Telling], ReturnFacts]]] = {
    "return_requested": _requested,
    "return_declined": _declined,
    "return_shipped": _shipped,
    "return_arrived": _arrived,
    "return_checked": _checked,
    "return_refunded": _refunded,
    "return_credited": _credited,
    "return_exchanged": _exchanged,
    "return_due": _due,
    "return_charge_soon": _charge,
    "return_charged": _charge,
    "return_charge_failed": _charge,
}
