"""What is answered about returns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any, Final

from pydantic import Field

from portal.api.replies import Reply
from portal.keys import Unsealable
from portal.models.exchange import Exchange, exchanges_of
from portal.models.instant import Instant
from portal.models.label import Label, labels_of
from portal.models.order import Order
from portal.models.rma import Return
from portal.models.rma_line import ReturnLine, ReturnUnit
from portal.models.rma_request import Weighed, quoted
from portal.models.settlement import Settlement, settlements_of, status_of
from returns.money import Amounts
from returns.policy import Decision, Outcome, receipt

RESOLUTIONS: Final = ("refund", "store_credit", "exchange")
LEAST_FIRST: Final = {
    "reception": ("awaited", "not_in_parcel", "lost", "received"),
    "acceptance": ("pending", "rejected", "accepted"),
}


class AmountsReply(Reply):
    """total = items + tax (where it was added) + shipping - fee - label + bonus."""

    items_minor: int = 0
    tax_minor: int = 0
    shipping_minor: int = 0
    fee_minor: int = 0
    label_minor: int = 0
    bonus_minor: int = 0
    total_minor: int = 0


class ByResolution(Reply):
    """What each resolution comes to."""

    refund: AmountsReply
    store_credit: AmountsReply
    exchange: AmountsReply


class VerdictReply(Reply):
    """What one rule said."""

    rule: str
    verdict: str
    because: str = ""
    values: dict[str, Any]


class DecisionReply(Reply):
    """The receipt of a decision: what decided, over which facts, and what would change it."""

    outcome: str
    policy_version: int
    policy_hash: str
    rule: str | None
    because: str
    values: dict[str, Any]
    facts: dict[str, Any]
    verdicts: list[VerdictReply]
    effects: dict[str, Any]
    would_change: list[dict[str, Any]]


class MethodReply(Reply):
    """A way back, and what it costs the customer."""

    code: str
    cost_minor: int


class QuoteLineReply(Reply):
    """What the rules say of some units, and what each resolution would pay."""

    sku: str
    quantity: int
    eligible: bool
    outcome: str
    because: str
    last_day: date | None = Field(description="The last day to ask, in the shop's time zone.")
    decision: DecisionReply
    methods: list[MethodReply]
    resolutions: ByResolution


class QuoteReply(Reply):
    """A quote. Nothing of it is stored; the same rules run again when a return is posted."""

    currency: str
    lines: list[QuoteLineReply]
    totals: ByResolution


class UnitReply(Reply):
    """One piece: did it come back, and do we accept it."""

    reception: str
    acceptance: str
    condition: str
    disposition: str
    note: str
    paid: bool


class ReturnLineReply(Reply):
    """A line of a return. `reception` and `acceptance` are those of its least advanced unit."""

    sku: str
    quantity: int
    reason: str
    detail: str
    resolution: str
    exchange_sku: str
    outcome: str
    reception: str
    acceptance: str
    units: list[UnitReply]
    decision: DecisionReply


class LabelReply(Reply):
    """The label for the way back."""

    id: str
    method: str
    status: str
    carrier: str
    tracking_number: str
    problem: str


class InstantReply(Reply):
    """The other article before the first is back. `status` is wanted (no card yet), lapsed, saved
    (sent), charging, charged, released (nothing is charged any more) or declined.
    """

    status: str
    amount_minor: int = Field(description="The most that is ever charged.")
    charged_minor: int = Field(description="What was charged, or is still due where declined.")
    charge_at: datetime
    consented_at: datetime
    problem: str


class ExchangeReply(Reply):
    """The other article: kept until `expires_at`, and the order it became."""

    id: str
    sku: str
    quantity: int
    status: str
    unit_price_minor: int
    due_minor: int
    expires_at: datetime | None
    order_id: str | None
    instant: InstantReply | None = None


class SettlementRowReply(Reply):
    """One payout."""

    id: str
    kind: str
    status: str
    amount_minor: int
    reference: str
    problem: str


class SettlementReply(ByResolution):
    """What is paid: as quoted until it is settled. `status` is null until then."""

    status: str | None
    rows: list[SettlementRowReply]


class ReturnReply(Reply):
    """A return."""

    id: str
    number: str
    order_id: str
    status: str
    outcome: str
    method: str
    currency: str
    requested_at: datetime
    expires_at: datetime | None
    lines: list[ReturnLineReply]
    label: LabelReply | None
    exchanges: list[ExchangeReply]
    settlement: SettlementReply
    url: str


def quote_reply(order: Order, weighed: Sequence[Weighed], method: str | None) -> QuoteReply:
    """A quote of these lines."""
    amounts = quoted(weighed, method)
    totals = {name: sum((each[name] for each in amounts), Amounts()) for name in RESOLUTIONS}
    return QuoteReply(
        currency=order.currency,
        lines=[_quoted(each, own) for each, own in zip(weighed, amounts, strict=True)],
        totals=_by_resolution({name: total.to_json() for name, total in totals.items()}),
    )


def _quoted(each: Weighed, amounts: dict[str, Amounts]) -> QuoteLineReply:
    effects = each.decision.effects
    return QuoteLineReply(
        sku=each.line.sku,
        quantity=len(each.units),
        eligible=each.outcome != Outcome.DECLINE.value,
        outcome=each.outcome,
        because=each.decision.because if each.is_free else "in_another_return",
        last_day=effects.last_day,
        decision=decision_reply(receipt(each.decision)),
        methods=[
            MethodReply(code=way, cost_minor=effects.label_minor(way)) for way in effects.methods
        ],
        resolutions=_by_resolution({name: own.to_json() for name, own in amounts.items()}),
    )


def decision_reply(told: dict[str, Any] | Decision) -> DecisionReply:
    """A receipt, as stored or fresh."""
    return DecisionReply(**(receipt(told) if isinstance(told, Decision) else told))


def return_reply(rma: Return, origin: str) -> ReturnReply:
    """A return with everything that came of it."""
    labels, exchanges = labels_of(rma.id), exchanges_of(rma.id)
    return ReturnReply(
        id=rma.id,
        number=rma.number,
        order_id=rma.order_id,
        status=rma.status,
        outcome=rma.outcome,
        method=rma.method,
        currency=rma.currency,
        requested_at=rma.requested_at,
        expires_at=rma.expires_at,
        lines=[_line(line) for line in rma.lines],
        label=_label(labels[-1]) if labels else None,
        exchanges=_exchanges(rma, exchanges),
        settlement=_settlement(rma, settlements_of(rma.id)),
        url=_url(rma, origin),
    )


def _url(rma: Return, origin: str) -> str:
    try:
        return f"{origin}/r/{rma.token}"
    except Unsealable:
        return ""


def _line(line: ReturnLine) -> ReturnLineReply:
    return ReturnLineReply(
        reception=_least(line.units, "reception"),
        acceptance=_least(line.units, "acceptance"),
        units=[_unit(unit) for unit in line.units],
        decision=decision_reply(line.decision),
        **{
            name: getattr(line, name)
            for name in ("sku", "quantity", "reason", "detail", "resolution")
        },
        exchange_sku=line.exchange_sku,
        outcome=line.outcome,
    )


def _least(units: Iterable[ReturnUnit], fact: str) -> str:
    return str(min((getattr(unit, fact) for unit in units), key=LEAST_FIRST[fact].index))


def _unit(unit: ReturnUnit) -> UnitReply:
    return UnitReply(
        reception=unit.reception,
        acceptance=unit.acceptance,
        condition=unit.condition,
        disposition=unit.disposition,
        note=unit.note,
        paid=unit.settlement_id is not None,
    )


def _label(label: Label) -> LabelReply:
    return LabelReply(**{name: getattr(label, name) for name in LabelReply.model_fields})


def _exchanges(rma: Return, exchanges: Sequence[Exchange]) -> list[ExchangeReply]:
    agreed = {row.exchange_id: row for row in Instant.of(rma.id)} if exchanges else {}
    return [_exchange(each, agreed.get(each.id)) for each in exchanges]


def _exchange(exchange: Exchange, agreed: Instant | None) -> ExchangeReply:
    names = ExchangeReply.model_fields.keys() - {"due_minor", "instant"}
    due = exchange.difference.get("due_minor", 0)
    found = ExchangeReply(due_minor=due, **{name: getattr(exchange, name) for name in names})
    if agreed is not None:
        told = InstantReply.model_fields.keys() - {"charged_minor"}
        charged = agreed.charging_minor
        found.instant = InstantReply(
            charged_minor=charged, **{name: getattr(agreed, name) for name in told}
        )
    return found


def _settlement(rma: Return, rows: Sequence[Settlement]) -> SettlementReply:
    live = [row for row in rows if row.is_live]
    sums = {name: Amounts() for name in RESOLUTIONS}
    for row in live:
        if row.kind in sums and row.amounts:
            sums[row.kind] += Amounts(**row.amounts)
    told = {name: total.to_json() for name, total in sums.items()} if live else rma.quoted
    names = SettlementRowReply.model_fields
    return SettlementReply(
        **_by_resolution(told).model_dump(),
        status=status_of(rows),
        rows=[SettlementRowReply(**{name: getattr(row, name) for name in names}) for row in live],
    )


def _by_resolution(told: dict[str, Any]) -> ByResolution:
    return ByResolution(**{name: AmountsReply(**told.get(name, {})) for name in RESOLUTIONS})
