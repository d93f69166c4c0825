"""Asking for a return: what the rules say of it, and storing it with that decision frozen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import joinedload

from portal.db import new_id, session
from portal.keys import digest, new_token, seal
from portal.models.audit import record
from portal.models.change import Conflict
from portal.models.line import OrderLine, Unit
from portal.models.order import Order
from portal.models.policy import in_force
from portal.models.rma import Return, units_of
from portal.models.rma_acts import start
from portal.models.rma_exchange import sold_variant
from portal.models.rma_facts import Asked, Situation
from portal.models.rma_line import ReturnLine, ReturnUnit
from portal.models.rma_money import Wish, by_resolution, priced
from portal.models.rma_news import tell
from portal.models.rma_rows import Act
from portal.models.unit_claim import claim_units
from portal.sources.sentences import FieldError, Invalid
from portal.tenancy import shop_in_scope
from returns.decision import Decision
from returns.money import Amounts, UnitMoney, label_cost, quote
from returns.policy import Outcome, Policy, receipt
from returns.verdict import RESOLUTIONS, Resolution
from returns.versions import decide_fairly

USUAL: Final[Resolution] = "refund"


@dataclass(frozen=True)
class Weighed:
    """Units of one order line that were asked about, and what the rules say of them."""

    asked: Asked
    line: OrderLine
    units: Sequence[Unit]
    money: Sequence[UnitMoney]
    facts: dict[str, object]
    decision: Decision
    is_free: bool

    @property
    def outcome(self) -> str:
        """approve, review or decline; what is in another return or claim is declined."""
        return self.decision.outcome.value if self.is_free else Outcome.DECLINE.value


def order_for_return(order_id: str, lock: bool = False) -> Order | None:
    """The order with lines and units in one statement; locked for this transaction if asked."""
    wanted = (
        select(Order)
        .where(Order.id == order_id)
        .options(joinedload(Order.lines).joinedload(OrderLine.units).joinedload(Unit.claim))
        .execution_options(populate_existing=True)
    )
    if lock:
        wanted = wanted.with_for_update(of=Order)
    return session.scalars(wanted).unique().one_or_none()


def order_to_change(order_id: str, now: datetime) -> Order | None:
    """The order alone, locked for this transaction and said to have changed: one statement.

    Its lines are read together with all else that `request_return` needs.
    """
    return session.scalar(
        update(Order)
        .where(Order.id == order_id)
        .values(version=Order.version + 1, updated_at=now)
        .returning(Order)
        .execution_options(populate_existing=True, synchronize_session=False)
    )


def weigh(
    order: Order,
    asked: Sequence[Asked],
    channel: str,
    now: datetime,
    *,
    strict: bool,
    by_law: Policy | None = None,
) -> list[Weighed]:
    """Decide about each line that is asked for, by the policy of the order's day or a better one.

    `by_law` decides instead of them: other rules, or a draft that is tried.

    `strict` raises Conflict where units are held elsewhere, as submitting does; looking does not.
    Raises Invalid for an article or a number that was not ordered.
    """
    return _weighed(Situation.of(order), asked, channel, now, strict=strict, by_law=by_law)


def _weighed(
    here: Situation,
    asked: Sequence[Asked],
    channel: str,
    now: datetime,
    *,
    strict: bool,
    by_law: Policy | None = None,
) -> list[Weighed]:
    if by_law is None:
        at_order, at_present = in_force(here.versions, here.order.placed_at, now)
    else:
        at_order = at_present = by_law
    whole = sum(each.quantity for each in asked)
    found = []
    for each, line, units in _allotted(here, asked, strict):
        facts = here.facts(each, line, units, whole, channel)
        found.append(
            Weighed(
                asked=each,
                line=line,
                units=units,
                money=[here.money[unit.id] for unit in units],
                facts=facts.to_json(),
                decision=decide_fairly(at_order, at_present, facts, now),
                is_free=not any(unit.id in here.held for unit in units),
            )
        )
    return found


def everything(order: Order) -> list[Asked]:
    """All that was ordered, one question for each article."""
    found: dict[str, int] = {}
    for line in order.lines:
        found[line.sku] = found.get(line.sku, 0) + line.quantity
    return [Asked(sku, quantity) for sku, quantity in found.items()]


def quoted(weighed: Sequence[Weighed], method: str | None) -> list[dict[str, Amounts]]:
    """For each line its amounts by resolution, the label's cost shared among them."""
    parts = [(each.money, each.decision.effects) for each in weighed]
    by_name = {name: quote(parts, name, method) for name in RESOLUTIONS}
    return [{name: by_name[name][i] for name in RESOLUTIONS} for i in range(len(weighed))]


def request_return(
    order: Order,
    asked: Sequence[Asked],
    channel: str,
    by: str,
    now: datetime,
    method: str = "",
    by_law: Policy | None = None,
) -> Return:
    """Store a return with its decision: approved at once, left to staff, or declined.

    Call it inside `writing()` with an order that `order_to_change` or
    `order_for_return(lock=True)` gave. The same rules
    as for the quote run again over facts that are frozen with the decision; `by_law` are other
    ones, which stand above the shop's. Raises Invalid and Conflict.
    """
    _is_askable(order, asked)
    here = Situation.of(order)
    weighed = _resolved(here, asked, channel, now, by_law)
    rma = _stored(here, weighed, channel, now, method)
    claim_units(units_of(rma.approved_lines), rma.id, now)
    session.add(rma)
    record(
        by,
        f"return.{rma.status}",
        f"return:{rma.id}",
        after={"number": rma.number, "lines": [[x.sku, x.quantity, x.outcome] for x in rma.lines]},
    )
    if order.updated_at != now:  # `order_to_change` has said it already
        order.touch(now)
    if rma.status == "approved":
        start(rma, Act(by, now))
    else:
        tell(rma, rma.status, now)
    session.flush()
    return rma


def _resolved(
    here: Situation, asked: Sequence[Asked], channel: str, now: datetime, by_law: Policy | None
) -> list[Weighed]:
    """Decide with a resolution for every line: where none is asked for, one that is allowed."""
    weighed = _weighed(here, asked, channel, now, strict=True, by_law=by_law)
    if all(each.asked.resolution for each in weighed):
        return weighed
    definite = [
        replace(
            each.asked,
            quantity=len(each.units),
            resolution=each.asked.resolution or _usual(here.order, each.decision),
        )
        for each in weighed
    ]
    return _weighed(here, definite, channel, now, strict=True, by_law=by_law)


def _usual(order: Order, decision: Decision) -> str:
    """What is given where nothing is asked for: a refund if it may be, for a gift credit."""
    usual, allowed = ("store_credit" if order.gift else USUAL), decision.effects.resolutions
    return usual if usual in allowed else allowed[0]


def _is_askable(order: Order, asked: Sequence[Asked]) -> None:
    """What rules cannot know: an order called off, a reason not given, an article not sold."""
    if order.cancelled_at is not None:
        raise Conflict("The order was cancelled, so nothing of it can be returned.")
    errors: list[FieldError] = []
    for place, each in enumerate(asked):
        if each.reason is None:
            errors.append({"field": f"lines.{place}.reason", "message": "Say why, by its code."})
        if each.resolution == "exchange":
            sold_variant(each.exchange_sku, order.currency, f"lines.{place}.exchange_sku")
    if errors:
        raise Invalid(errors)


def _allotted(
    here: Situation, asked: Sequence[Asked], strict: bool
) -> Iterable[tuple[Asked, OrderLine, list[Unit]]]:
    """Which units of which lines: free ones first, each for one question alone."""
    taken: set[int] = set()
    for place, each in enumerate(asked):
        lines = [line for line in here.order.lines if line.sku == each.sku]
        if not lines:
            raise _wrong(place, "sku", "The order holds nothing of this sku.")
        pool = [(line, unit) for line in lines for unit in line.units if unit.id not in taken]
        if each.quantity > len(pool):
            ordered = sum(line.quantity for line in lines)
            raise _wrong(place, "quantity", f"The order holds {ordered} of this. Ask for fewer.")
        free = [pair for pair in pool if pair[1].id not in here.held]
        if strict and len(free) < each.quantity:
            raise Conflict(
                f"Only {len(free)} of {each.sku} can still be asked for; the rest is in a return "
                "or claim already. Nothing was changed."
            )
        chosen = [*free, *(pair for pair in pool if pair not in free)][: each.quantity]
        taken |= {unit.id for _, unit in chosen}
        for line in lines:
            units = [unit for of, unit in chosen if of is line]
            if units:
                yield each, line, units


def _wrong(place: int, field: str, message: str) -> Invalid:
    return Invalid([{"field": f"lines.{place}.{field}", "message": message}])


def _stored(
    here: Situation, weighed: Sequence[Weighed], channel: str, now: datetime, method: str
) -> Return:
    order, token, status = here.order, new_token(), _status(here.order, weighed)
    open_lines = [each for each in weighed if each.outcome != "decline"]
    way = method or _first_way(open_lines)
    rma = Return(
        id=new_id("ret", now),
        shop_id=shop_in_scope(),
        number=f"{order.number}-R{here.returns_made + 1}",
        order=order,
        customer_id=order.customer_id,
        currency=order.currency,
        status=status,
        channel=channel,
        outcome={"requested": "review", "approved": "approve"}.get(status, "decline"),
        method=way,
        label_minor=label_cost([(e.decision.effects, e.asked.method or way) for e in open_lines]),
        destination=next((e.decision.effects.destination or "" for e in open_lines), ""),
        token_digest=digest(token),
        token_sealed=seal(token),
        requested_at=now,
        decided_at=None if status == "requested" else now,
        version=1,
        lines=[_line(order, each, place, way, now) for place, each in enumerate(weighed)],
        **dict.fromkeys(
            ("decided_by", "note", "override_reason", "rejection_code", "cancel_reason"), ""
        ),
    )
    wishes = [Wish(line, line.units, line.resolution) for line in rma.approved_lines]
    sums = by_resolution(priced(wishes, rma.label_minor))
    rma.quoted = {name: amounts.to_json() for name, amounts in sums.items()}
    return rma


def _status(order: Order, weighed: Sequence[Weighed]) -> str:
    """Left to staff as a whole when anything is; declined only when everything is.

    A gift's refund goes to the giver's card, so that somebody has to ask them.
    """
    outcomes = {each.outcome for each in weighed}
    wishes = {wish for e in weighed for wish in (e.asked.resolution, e.asked.fallback)}
    if order.gift and USUAL in wishes and "approve" in outcomes:
        return "requested"
    if "review" in outcomes:
        return "requested"
    return "approved" if "approve" in outcomes else "declined"


def _first_way(weighed: Sequence[Weighed]) -> str:
    """The first way back that is open to all of them."""
    travelling = [each.decision.effects for each in weighed if not each.decision.effects.keep]
    if not travelling:
        return ""
    common = [way for way in travelling[0].methods if all(way in e.methods for e in travelling)]
    return (common or list(travelling[0].methods))[0]


def _line(order: Order, each: Weighed, place: int, method: str, now: datetime) -> ReturnLine:
    return ReturnLine(
        id=new_id("rln", now),
        position=place,
        line_id=each.line.id,
        sku=each.line.sku,
        title=each.line.title,
        variant=each.line.variant,
        quantity=len(each.units),
        reason=each.asked.reason or "other",
        detail=each.asked.detail or "",
        statement=each.asked.statement,
        resolution=each.asked.resolution or USUAL,
        method=each.asked.method or method,
        exchange_sku=each.asked.exchange_sku,
        fallback=each.asked.fallback or ("store_credit" if order.gift else ""),
        outcome=each.outcome,
        decided_at=now,
        decision=receipt(each.decision),
        facts=each.facts,
        units=[
            ReturnUnit(
                unit_id=unit.id,
                money=asdict(share),
                reception="awaited",
                acceptance="pending",
                condition="",
                disposition="",
                note="",
            )
            for unit, share in zip(each.units, each.money, strict=True)
        ],
    )
