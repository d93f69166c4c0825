"""What becomes of a wanted payout: the job that performs it reports here, and here alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, select

from portal.db import session
from portal.models.audit import record
from portal.models.booking import done, taken_back
from portal.models.change import Conflict
from portal.models.claim import Claim
from portal.models.claim_pay import paid, unpaid
from portal.models.due import is_under_way, plan
from portal.models.ledger import LedgerEntry, book
from portal.models.order import Order
from portal.models.rma import Return
from portal.models.rma_news import tell_paid
from portal.models.rma_rows import Act
from portal.models.rma_settle import exchanged, finish
from portal.models.settlement import Settlement

JOB = "job"
MOST_ROUNDS: Final = 5  # keys tried for one refund; then people look at it
LISTED: Final = timedelta(minutes=6)  # until what is there now is listed, and known to be older


@dataclass(frozen=True, slots=True)
class Payout:
    """A refund to be made. `key` is its idempotency key towards the provider.

    With `look_up` it may have been made already: look for it there before asking for it, first by
    the key kept in its metadata, and never under another key.
    """

    id: str
    shop_id: int
    order_id: str
    provider: str
    payment: str
    amount_minor: int
    currency: str
    key: str
    reference: str
    look_up: bool
    is_lost: bool  # it was sent, and no answer told what came of it
    since: datetime  # when it was first asked for under this key


def locked(settlement_id: str) -> Settlement | None:
    """The row, for this transaction alone, its orders locked first; None if there is none."""
    lock_orders(Settlement.id == settlement_id)
    wanted = select(Settlement).where(Settlement.id == settlement_id)
    return session.scalar(wanted.execution_options(populate_existing=True))


def lock_orders(of: ColumnElement[bool], *more: str) -> None:
    """Lock the orders of these settlements and of their returns, the oldest order first.

    A settlement may be of another order than its return: what is charged for an article that was
    sent ahead is given back of that article's order.
    """
    known = (
        select(Settlement.order_id, Return.order_id)
        .outerjoin(Return, Return.id == Settlement.subject)
        .where(of)
    )
    found = {id for pair in session.execute(known).all() for id in pair if id} | {*more}
    session.scalars(
        select(Order)
        .where(Order.id.in_(found))
        .order_by(Order.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def begin(settlement_id: str, now: datetime) -> Payout | None:
    """Before the provider is asked; None where nothing is to be done (any more)."""
    row = locked(settlement_id)
    if row is None or row.kind != "refund" or row.status not in ("wanted", "performing", "unknown"):
        return None
    look_up, is_lost = row.status != "wanted", row.status == "unknown"
    if not look_up:
        row.move("perform")
        row.performing_at = now
    return Payout(
        id=row.id,
        shop_id=row.shop_id,
        order_id=row.order_id,
        provider=row.provider,
        payment=row.payment,
        amount_minor=row.amount_minor,
        currency=row.currency,
        key=row.key,
        reference=row.reference,
        look_up=look_up,
        is_lost=is_lost,
        since=row.performing_at or now,
    )


def succeeded(settlement_id: str, reference: str, now: datetime) -> bool:
    """The provider did it: book it and end the return if it was the last. False if known already.

    However often it is told (by the answer, by a hook, by looking), it is booked once.
    """
    row = locked(settlement_id)
    if row is None or row.status not in ("wanted", "performing", "unknown"):
        return False
    done(row, "refunded", reference, now)
    after = {"amount_minor": row.amount_minor, "reference": reference}
    record(JOB, "refund.done", _subject(row), after=after)
    _finish(row, now)
    return True


def failed(settlement_id: str, problem: str, now: datetime) -> bool:
    """The provider refused for certain: the amount can be given anew, staff see why.

    One that was done and is refused afterwards is booked back, once, and opens the return again.
    """
    row = locked(settlement_id)
    if row is None or row.status not in ("wanted", "performing", "unknown", "done"):
        return False
    if row.status == "done":
        taken_back(row, "refunded", problem, now)
    else:
        if row.status == "wanted":
            row.move("perform")
        row.move("fail")
        row.problem = problem
    record(
        JOB, "refund.failed", _subject(row), after={"amount_minor": row.amount_minor}, why=problem
    )
    claim = Claim.read(row.subject)
    if claim is not None:
        unpaid(claim, JOB, now, problem)
    rma = Return.read(row.subject)
    if rma is not None and rma.status == "settled":
        rma.move("unsettle", JOB, now, why=problem)
        rma.settled_at = None
    elif rma is not None:
        rma.touch(now)
    return True


def unknown(settlement_id: str, reference: str = "") -> bool:
    """Nobody knows whether it happened: it stays counted, and is looked up before anything else."""
    row = locked(settlement_id)
    if row is None or row.status != "performing":
        return False
    row.move("lose_sight")
    row.reference = reference or row.reference
    return True


def note(settlement_id: str, *, reference: str = "", problem: str = "") -> bool:
    """Keep what is known of one under way: the provider's id for it, why it waits. It stays so."""
    row = locked(settlement_id)
    if row is None or row.status not in ("wanted", "performing", "unknown"):
        return False
    row.reference, row.problem = reference or row.reference, problem
    return True


def anew(settlement_id: str, problem: str, now: datetime) -> bool:
    """It is certain that it did not happen and never will under its key: take the next key.

    False where that was done often enough: then it has failed, and staff see why.
    """
    row = locked(settlement_id)
    if row is None or row.status not in ("performing", "unknown"):
        return False
    if row.round >= MOST_ROUNDS:
        failed(settlement_id, problem, now)
        return False
    row.move("fail")
    row.move("retry")
    row.round, row.problem = row.round + 1, problem
    return True


def by_hand(settlement_id: str, by: str, now: datetime, how: str) -> None:
    """Staff paid a refund that failed in another way, such as by bank transfer: it is done.

    Raises Conflict for any other, above all for one whose outcome is not known yet.
    """
    row = locked(settlement_id)
    if row is None or row.kind != "refund" or not row.is_live or row.status != "failed":
        raise Conflict("Only a refund that failed can be paid by hand. Nothing was changed.")
    row.move("retry")
    row.round += 1
    done(row, "refunded", "", now)
    after = {"amount_minor": row.amount_minor}
    record(by, "refund.by_hand", _subject(row), after=after, why=how)
    _finish(row, now, by_hand=True)


def seen_paid(settlement_id: str, act: Act, reference: str = "") -> None:
    """Staff looked with the provider and found that a refund in doubt was paid: it is done.

    `reference` is the provider's id of it, as staff read it there. What was taken for somebody
    else's until now is booked as this one, once. Raises Conflict for one that is not in doubt, or
    that is being asked about at this moment.
    """
    row = _doubted(settlement_id)
    if reference:
        _not_elsewhere(row, reference, act.now)
    done(row, "refunded", reference, act.now)
    after = {"amount_minor": row.amount_minor, "reference": row.reference}
    record(act.by, "refund.seen_paid", _subject(row), after=after, why=act.reason)
    _finish(row, act.now)


def seen_unpaid(settlement_id: str, act: Act) -> None:
    """Staff looked with the provider and found no refund: it is sent again, under the next key.

    The job looks once more for what went out under an earlier key before it asks, a while later,
    so that a list that is behind does not hide it. Raises Conflict as `seen_paid` does.
    """
    row = _doubted(settlement_id)
    row.move("fail")
    row.move("retry")
    row.round, row.reference, row.problem = row.round + 1, "", ""
    after = {"amount_minor": row.amount_minor, "key": row.key}
    record(act.by, "refund.seen_unpaid", _subject(row), after=after, why=act.reason)
    plan("settle", row.id, row.shop_id, act.now + LISTED)


def _doubted(settlement_id: str) -> Settlement:
    row = locked(settlement_id)
    if row is None or not row.is_in_doubt:
        raise Conflict("What became of this refund is known by now. Nothing was changed.")
    if is_under_way("settle", row.id):
        raise Conflict("The provider is being asked about it right now. Try again in a minute.")
    return row


def _not_elsewhere(row: Settlement, reference: str, now: datetime) -> None:
    taken = select(Settlement.id).where(Settlement.reference == reference, Settlement.id != row.id)
    if session.scalar(taken.limit(1)) is not None:
        raise Conflict(f"Refund {reference} is another one of ours. Nothing was changed.")
    cause = f"provider:{reference}"
    was = session.scalar(select(LedgerEntry).where(LedgerEntry.cause == cause))
    if was is None:
        return
    if (was.order_id, was.reference, was.amount_minor) != (
        row.order_id,
        row.payment,
        row.amount_minor,
    ):
        raise Conflict(f"Refund {reference} is of another amount or payment. Nothing was changed.")
    book(
        *(was.order_id, "refunded", -was.amount_minor, was.currency, f"{cause}:ours", now),
        reference=was.reference,
    )


def top_up_paid(settlement_id: str, reference: str, now: datetime) -> bool:
    """What was due for an exchange has been paid: its order is placed. False if known already."""
    row = locked(settlement_id)
    if row is None or row.kind != "top_up" or row.status not in ("wanted", "performing", "unknown"):
        return False
    if row.status == "wanted":
        row.move("perform")
    row.move("succeed")
    row.reference, row.done_at = reference, now
    session.flush()
    rma = Return.read(row.subject)
    main = session.get_one(Settlement, row.group_id)
    if rma is not None and row.exchange_id is not None:
        act = Act(JOB, now)
        exchanged(rma, row.exchange_id, main, act, paid_by=reference)
        finish(rma, act)
    return True


def _finish(row: Settlement, now: datetime, *, by_hand: bool = False) -> None:
    session.flush()
    claim = Claim.read(row.subject)
    if claim is not None:
        claim.touch(now)
        paid(claim, JOB, now)
    rma = Return.read(row.subject)
    if rma is not None:
        rma.touch(now)
        finish(rma, Act(JOB, now))
        tell_paid(rma, row, now, by_hand=by_hand)


def _subject(row: Settlement) -> str:
    kinds = {"ret": "return", "clm": "claim", "prt": "protection"}
    return f"{kinds[row.subject[:3]]}:{row.subject}"
