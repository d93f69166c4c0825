"""The rows that settling writes: who acts, what is wanted, of which payment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from portal.db import new_id, session
from portal.models.claim import Claim
from portal.models.due import plan
from portal.models.ledger import payments_left
from portal.models.protection import Protection
from portal.models.rma import Return
from portal.models.settlement import Settlement, short_of
from portal.models.shop import Shop
from returns.money import Amounts


@dataclass(frozen=True, slots=True)
class Act:
    """Who settles, when, and why."""

    by: str
    now: datetime
    reason: str = ""


def refund_rows(rma: Return | Claim, total: Amounts, act: Act, **more: Any) -> list[Settlement]:
    """Rows that give `total` back to the order's payments; none where it is nothing.

    What is too fine for a payment's provider stays owed, and is part of the order's next refund:
    never more than was owed goes out, and all refunds of an order add up.
    """
    before = short_of(rma.order_id) if total.total_minor else 0
    left, rows, finest = total.total_minor + before, list[Settlement](), 1
    for payment in payments_left(rma.order_id, rma.order.payment_provider):
        part, step = min(left, max(0, payment.left_minor)), payment.finest(rma.currency)
        part, finest = part - part % step, max(finest, step)
        if not part:
            continue
        row = new_row(
            rma,
            "refund",
            part,
            act,
            amounts={} if rows or more else total.to_json(),
            provider=payment.provider,
            payment=payment.reference,
            **({"group_id": rows[0].group_id} if rows else {}),
            **more,
        )
        plan("settle", row.id, rma.shop_id, act.now)
        rows.append(row)
        left -= part
    too_fine = min(left, finest - 1)
    if too_fine and not rows:
        told = {} if more else {"amounts": total.to_json()}
        rows = [new_row(rma, "refund", 0, act, status="done", done_at=act.now, **told, **more)]
    if rows:
        rows[0].short_minor = too_fine - before
    return rows


def credit_ends(rma: Return | Claim, now: datetime) -> datetime | None:
    """When credit that is given now ends, by the shop's setting `credit_days`; None for never."""
    days = session.get_one(Shop, rma.shop_id).settings.get("credit_days")
    return now + timedelta(days=days) if isinstance(days, int) and days > 0 else None


def new_row(
    rma: Return | Claim | Protection, kind: str, amount_minor: int, act: Act, **more: Any
) -> Settlement:
    """A row that is wanted, a group of its own unless `more` says otherwise."""
    id = new_id("stl", act.now)
    values: dict[str, Any] = {"group_id": id, "status": "wanted", "round": 1, "amounts": {}}
    values |= dict.fromkeys(("provider", "payment", "reference", "problem"), "")
    values |= {"order_id": rma.order_id, "replaced": False}
    row = Settlement(
        id=id,
        shop_id=rma.shop_id,
        subject=rma.id,
        kind=kind,
        amount_minor=amount_minor,
        currency=rma.currency,
        reason=act.reason,
        created_at=act.now,
        **(values | more),
    )
    session.add(row)
    return row
