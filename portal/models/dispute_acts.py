"""What becomes of a dispute: taken in as the provider has it, answered with evidence, once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select

from portal.db import insert_new, new_id, session
from portal.format import money
from portal.models.audit import record
from portal.models.change import Conflict
from portal.models.dispute import ANSWERABLE, ASKING, Dispute, lock_order
from portal.models.due import plan
from portal.models.evidence import evidence_of_order
from portal.models.ledger import book
from portal.models.refund_elsewhere import disputed, order_of_payment
from portal.payments.contract import DisputeFacts

JOB: Final = "job"
LONGEST: Final = 3_000  # characters of the shop's own words


def take_in(seen: DisputeFacts, looked_at: datetime, now: datetime) -> Dispute | None:
    """Bring what the provider has into row and ledger. None for a payment that nobody knows.

    Looks may end in any order: what an earlier one saw does not replace what a later one did, and
    money is booked once for each movement at the provider, whichever look tells of it.
    """
    home = order_of_payment(seen.payment)
    if home is None or lock_order(home) is None:
        return None
    row = _row(home, seen, looked_at)
    _book(row, seen, now)
    if looked_at >= row.looked_at:
        _stands(row, seen, looked_at, now)
    return row


def _row(order_id: str, seen: DisputeFacts, looked_at: datetime) -> Dispute:
    values = {
        "id": new_id("dsp", looked_at),
        "order_id": order_id,
        "provider_id": seen.id,
        "payment": seen.payment,
        "status": "",
        "amount_minor": seen.amount_minor,
        "currency": seen.currency,
        "opened_at": seen.opened_at,
        "looked_at": looked_at,
    }
    insert_new(Dispute, [values], ["shop_id", "provider_id"])
    wanted = select(Dispute).where(Dispute.provider_id == seen.id)
    return session.scalars(wanted.execution_options(populate_existing=True)).one()


def _stands(row: Dispute, seen: DisputeFacts, looked_at: datetime, now: datetime) -> None:
    blocked, was = bool(row.status) and row.blocks, row.status
    row.status, row.reason, row.looked_at = seen.status, seen.reason, looked_at
    row.is_refundable, row.due_at, row.amount_minor = (
        seen.is_refundable,
        seen.due_at,
        seen.amount_minor,
    )
    row.submissions = seen.submissions
    if row.evidence in ASKING and seen.key.partition(":")[0] == row.id:
        sent(row, now)
    row.closed_at = (row.closed_at or now) if row.is_over else None
    if was != row.status:
        before = {"status": was} if was else {}
        after = {"status": row.status, "amount_minor": row.amount_minor, "dispute": seen.id}
        record(JOB, "payment.dispute", f"order:{row.order_id}", before, after, why=row.reason)
        row.touch(now)
    if row.blocks and not blocked:
        session.flush()
        disputed(row.payment, now)


def _book(row: Dispute, seen: DisputeFacts, now: datetime) -> None:
    """Each movement once, by the provider's id of it."""
    for move in seen.moves:
        if _booked(row, "disputed", move.taken_minor, f"provider:{move.id}", now):
            row.taken_minor += move.taken_minor
            told = {"amount_minor": move.taken_minor, "dispute": row.provider_id}
            record(JOB, "payment.dispute_moved", f"order:{row.order_id}", after=told)
            row.touch(now)
        if _booked(row, "dispute_fee", move.fee_minor, f"provider:{move.id}:fee", now):
            row.fee_minor += move.fee_minor


def _booked(row: Dispute, kind: str, amount_minor: int, cause: str, now: datetime) -> bool:
    return book(
        *(row.order_id, kind, amount_minor, row.currency, cause, now),
        reference=row.payment,
        subject=row.id,
    )


def answer(row: Dispute, words: str, by: str, now: datetime) -> None:
    """Have the evidence sent, once. Lock the row before. Raises Conflict where it cannot be."""
    if not row.is_answerable:
        told = "is being sent" if row.evidence in ASKING else "was sent already"
        over = f"The dispute is {row.status.replace('_', ' ')}, so the bank takes no evidence."
        raise Conflict(over if row.status not in ANSWERABLE else f"The evidence {told}.")
    row.words, row.by, row.wanted_at = words.strip()[:LONGEST], by, now
    row.evidence, row.round, row.problem = "wanted", row.round + 1, ""
    record(by, "dispute.answered", f"order:{row.order_id}", after={"dispute": row.provider_id})
    row.touch(now)
    plan("dispute", row.id, row.shop_id, now)


def sent(row: Dispute, now: datetime) -> None:
    """The bank has the evidence."""
    row.evidence, row.sent_at, row.problem = "sent", now, ""
    record(JOB, "dispute.sent", f"order:{row.order_id}", after={"dispute": row.provider_id})
    row.touch(now)


def refused(row: Dispute, problem: str, now: datetime) -> None:
    """The provider took no evidence for certain: people see why, and may send it again."""
    row.evidence, row.problem = "failed", problem
    record(JOB, "dispute.failed", f"order:{row.order_id}", why=problem)
    row.touch(now)


def anew(row: Dispute) -> None:
    """An attempt has ended without effect, and never will have any: take the next key."""
    row.evidence, row.round = "performing", row.round + 1


def evidence_of_dispute(row: Dispute, now: datetime) -> dict[str, Any]:
    """The facts for the bank: of the whole order, with the shop's own words in `about`."""
    amount = money(row.amount_minor, row.currency, "en")
    about = {
        "title": f"Evidence for dispute {row.provider_id}",
        "kind": "dispute",
        "number": row.provider_id,
        "order_id": row.order_id,
        "told": [
            ("The customer's bank says", row.reason.replace("_", " ")),
            ("Disputed", amount),
            ("Payment", row.payment),
        ],
    }
    facts = evidence_of_order(row.order, about, now)
    about["words"] = "\n\n".join(filter(None, (row.words, *_sentences(facts))))
    return facts


def _sentences(facts: Mapping[str, Any]) -> Iterator[str]:
    """What speaks for the shop, a sentence for each fact."""
    order = facts["order"]
    yield f"Order {order['number']} was placed on {order['placed']['local']}."
    for parcel in facts["parcels"]:
        yield f"Parcel {parcel['number']}: {dict(parcel['told'])['Proof of delivery']}"
    if order["given_minor"] > 0:
        given = money(order["given_minor"], order["currency"], "en")
        yield f"Given back to the customer already: {given}."
    cover = facts["cover"]
    if cover and cover["consent"]:
        at = dict(cover["told"])["Chosen"]
        yield f"Cover for the journey was chosen by the customer on {at}, not beforehand."
