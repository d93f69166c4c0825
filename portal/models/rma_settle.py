"""Settling a return: what is accepted becomes refund, credit or exchange rows, once each."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from operator import add

from portal.db import session
from portal.models.audit import record
from portal.models.booking import done
from portal.models.change import Conflict
from portal.models.credit import give_credit
from portal.models.dispute import is_blocked, refuse_blocked
from portal.models.due import plan
from portal.models.exchange import OPEN, Exchange
from portal.models.instant import came_back
from portal.models.ledger import sums_of
from portal.models.rma import Return
from portal.models.rma_choice import Choice, as_asked, chosen, lines_of
from portal.models.rma_exchange import ahead_of, place_order, release_exchanges, reserved_for
from portal.models.rma_line import ReturnUnit
from portal.models.rma_money import NOTHING, Part, Wish, capped, label_left, priced
from portal.models.rma_news import tell_due, tell_paid
from portal.models.rma_rows import Act, credit_ends, new_row, refund_rows
from portal.models.settlement import Settlement, settlements_of
from portal.models.unit_claim import release_units
from returns.money import Amounts

# Not approved yet, or its units are free for another return.
UNPAYABLE = ("requested", "declined", "cancelled", "expired")
NOTHING_LEFT = (
    "Nothing of the order's payment is left to give back, as far as we know. Correct the order's "
    "payment and settle again, or choose another resolution."
)


def resolve(rma: Return, choices: Sequence[Choice] | None, act: Act) -> list[Settlement]:
    """Settle what was accepted: as asked, or as staff choose. Gives the rows that are new.

    What failed before is tried again. Raises Invalid for what cannot be chosen, Conflict where
    nothing is to be settled.
    """
    if rma.status in UNPAYABLE:
        raise Conflict(f"The return is {rma.status}, so nothing of it can be settled.")
    refuse_blocked(rma.order_id)
    rows = settlements_of(rma.id)
    _reopen(rma, rows, lines_of(rma, choices or ()), act)
    wishes = as_asked(rma) if choices is None else chosen(rma, choices)
    if not wishes and not _may_end(rma, rows):
        raise Conflict(_why_not(rma, rows))
    new = settle(rma, wishes, rows, act) if wishes else []
    finish(rma, act)
    return new


def settle_early(rma: Return, step: str, act: Act) -> None:
    """Settle the lines whose money moves at this step, before they are inspected.

    Nothing moves early while the customer's bank may give the same money back.
    """
    wishes = [
        Wish(line, [unit for unit in line.units if unit.settlement_id is None], line.resolution)
        for line in rma.approved_lines
        if line.moves_at() == step
    ]
    chosen = [wish for wish in wishes if wish.units]
    if chosen and not is_blocked(rma.order_id):
        settle(rma, chosen, settlements_of(rma.id), act)
        finish(rma, act)


def settle(
    rma: Return, wishes: Sequence[Wish], rows: Sequence[Settlement], act: Act
) -> list[Settlement]:
    """Write what is wanted: rows first, so that it counts before anybody outside is asked."""
    left = sums_of([rma.order_id])[rma.order_id].refundable_minor
    _check_ahead(rma, wishes)
    parts = priced(wishes, label_left(rma, rows))
    new: list[Settlement] = []
    for part in (each for each in parts if each.wish.resolution == "exchange"):
        made = _exchange(rma, part, left, act)
        left -= sum(row.amount_minor for row in made if row.kind != "top_up")
        new += made
    money = [each for each in parts if each.wish.resolution != "exchange"]
    for pays, kind in ((_refund, "refund"), (_credit, "store_credit")):
        own = [each for each in money if each.wish.paid_as == kind]
        if own:
            made = pays(rma, own, capped(own, left), act)
            left -= sum(row.amount_minor for row in made)
            new += made
    record(
        act.by,
        "return.settled_by",
        f"return:{rma.id}",
        after={"rows": [[row.kind, row.amount_minor] for row in new]},
        why=act.reason,
    )
    rma.touch(act.now)
    return new


def finish(rma: Return, act: Act) -> None:
    """End the return once every unit has met its end and everything wanted is done."""
    rows = [row for row in settlements_of(rma.id) if row.is_live]
    if rma.status not in ("approved", "shipped", "checked") or not _may_end(rma, rows):
        return
    rma.move("settle", act.by, act.now)
    rma.settled_at = act.now
    release_exchanges(rma)
    # What was not in the parcel is still with the customer, and may be asked for anew; unless its
    # money moved before anybody looked.
    missing = [
        unit.unit_id
        for unit in rma.units
        if unit.reception == "not_in_parcel" and unit.settlement_id is None
    ]
    release_units(missing, rma.id)


def give_up(rma: Return) -> None:
    """The return ends unpaid: what failed is not tried again, and its units are paid by nothing."""
    failed = [row for row in settlements_of(rma.id) if row.is_live]
    paid = {row.group_id for row in failed}
    _replace(failed, [unit for unit in rma.units if unit.settlement_id in paid])


def lapse(rma: Return, exchange_id: str, act: Act) -> bool:
    """Nobody took up what was kept in time: credit or refund instead, as chosen beforehand.

    False where it is not time yet, or it was ordered or let go meanwhile.
    """
    exchange = session.get(Exchange, exchange_id, populate_existing=True)
    if exchange is None or exchange.status not in OPEN:
        return False
    if exchange.expires_at is None or act.now < exchange.expires_at:
        return False
    line = next(each for each in rma.lines if each.id == exchange.rma_line_id)
    exchange.fall_back(line)
    group = [row for row in settlements_of(rma.id) if row.exchange_id == exchange.id]
    paid = {row.group_id for row in group}
    _replace(group, [unit for unit in line.units if unit.settlement_id in paid])
    record(act.by, "exchange.lapsed", f"return:{rma.id}", after={"sku": exchange.sku})
    rma.touch(act.now)
    return True


def _may_end(rma: Return, rows: Iterable[Settlement]) -> bool:
    ended = all(
        unit.settlement_id is not None if line.keeps else unit.is_judged and not unit.is_payable
        for line in rma.approved_lines
        for unit in line.units
    )
    return ended and all(row.status == "done" for row in rows if row.is_live)


def _why_not(rma: Return, rows: Sequence[Settlement]) -> str:
    if any(row.is_live for row in rows):
        return f"The return is {rma.status}, and everything accepted so far is settled already."
    return (
        f"The return is {rma.status}, and nothing of it has been received and accepted yet, so "
        "nothing can be settled. Count and judge it first."
    )


def _reopen(rma: Return, rows: Sequence[Settlement], lines: set[str], act: Act) -> None:
    """Free the units of what failed as a whole, and try single failed payments again.

    An exchange that waits for its payment gives way where staff choose something else for it.
    """
    for group_id in {row.group_id for row in rows if row.is_live}:
        group = [row for row in rows if row.group_id == group_id]
        units = [unit for unit in rma.units if unit.settlement_id == group_id]
        waits = any(row.kind == "top_up" and row.status == "wanted" for row in group)
        if (units and all(row.status == "failed" for row in group)) or (
            waits and any(unit.rma_line_id in lines for unit in units)
        ):
            _replace(group, units)
            continue
        for row in (each for each in group if each.status == "failed"):
            row.move("retry")
            row.round, row.problem = row.round + 1, ""
            plan("settle", row.id, row.shop_id, act.now)
    session.flush()


def _replace(group: Sequence[Settlement], units: Iterable[ReturnUnit]) -> None:
    for row in group:
        if row.status == "wanted":
            row.move("perform")
            row.move("fail")
            row.problem = "Something else was chosen."
        row.replaced = True
        exchange = session.get(Exchange, row.exchange_id) if row.exchange_id else None
        if exchange is not None and exchange.status in OPEN:
            exchange.release()
    for unit in units:
        unit.settlement_id = None


def _refund(rma: Return, full: Sequence[Part], parts: Sequence[Part], act: Act) -> list[Settlement]:
    """One row for each payment that gives back, in the order they were made."""
    total = sum_of(parts)
    rows = refund_rows(rma, total, act)
    if not rows:
        was = sum_of(full).total_minor
        row = new_row(rma, "refund", 0, act, amounts=total.to_json())
        row.status, row.problem = ("failed", NOTHING_LEFT) if was else ("done", "")
        row.done_at = None if was else act.now
        rows = [row]
    _paid_by(rows[0], parts)
    return rows


def _credit(
    rma: Return, _full: Sequence[Part], parts: Sequence[Part], act: Act
) -> list[Settlement]:
    """Credit is ours to give: it is done at once."""
    if rma.customer_id is None:
        raise Conflict("The order has no e-mail address, so nobody could use store credit.")
    total = sum_of(parts)
    row = new_row(rma, "store_credit", total.own_minor, act, amounts=total.to_json())
    _paid_by(row, parts)
    ends = credit_ends(rma, act.now)
    for kind, amount in (("credited", total.own_minor), ("bonus", total.bonus_minor)):
        give_credit(
            rma.customer_id,
            amount,
            rma.currency,
            f"{row.id}:{kind}",
            act.now,
            kind=kind,
            expires_at=ends,
            subject=rma.id,
        )
    done(row, "credited", "", act.now)
    tell_paid(rma, row, act.now)
    return [row]


def _exchange(rma: Return, part: Part, left: int, act: Act) -> list[Settlement]:
    """The other article for what came back: at once where nothing is due, else once it is paid."""
    exchange, difference = reserved_for(rma, part, act.now)
    own = min(difference.own_used_minor, left)
    row = new_row(
        rma, "exchange", own, act, amounts=part.amounts.to_json(), exchange_id=exchange.id
    )
    part.wish.line.resolution = "exchange"
    _paid_by(row, [part])
    more = {"group_id": row.group_id, "exchange_id": exchange.id}
    session.flush()
    rows = [row]
    if difference.due_minor:
        rows.append(new_row(rma, "top_up", difference.due_minor, act, **more))
        tell_due(rma, rows[-1], act.now)
    else:
        exchanged(rma, exchange.id, row, act)
    back = min(difference.left_minor, left - own)
    rows += refund_rows(rma, Amounts(total_minor=back), act, **more)
    return rows


def exchanged(rma: Return, exchange_id: str, row: Settlement, act: Act, paid_by: str = "") -> None:
    """Nothing is due any more: place the order, and book what moved into it."""
    exchange = session.get_one(Exchange, exchange_id)
    exchange.due_reference = paid_by
    order = place_order(rma, exchange, row, act.by, act.now)
    done(row, "exchanged", order.id, act.now, bonus=exchange.difference["bonus_used_minor"])
    if exchange.is_ahead:
        came_back(rma, exchange, act)
    tell_paid(rma, row, act.now)


def _check_ahead(rma: Return, wishes: Iterable[Wish]) -> None:
    for wish in wishes:
        if wish.resolution != "exchange" and ahead_of(rma, wish.line.id) is not None:
            raise Conflict(
                f"The exchange for {wish.line.sku} was sent already, so what comes back pays for "
                "it. Nothing was changed."
            )


def sum_of(parts: Iterable[Part]) -> Amounts:
    """The amounts of parts together."""
    return reduce(add, (part.amounts for part in parts), NOTHING)


def _paid_by(row: Settlement, parts: Iterable[Part]) -> None:
    """Say which settlement pays for these units. A unit is paid for once."""
    session.flush()
    for part in parts:
        if part.wish.resolution != part.wish.line.resolution:
            part.wish.line.resolution = part.wish.resolution
        for unit in part.wish.units:
            unit.settlement_id = row.group_id
