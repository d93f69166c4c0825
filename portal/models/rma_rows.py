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
from portal.models.settlement import Settlement
from portal.models.shop import Shop
from returns.money import Amounts


@dataclass(frozen=True, slots=True)
class Act:
    """Who settles, when, and why."""

    by: str
    now: datetime
    reason: str = ""


def refund_rows(rma: Return | Claim, total: Amounts, act: Act, **more: Any) -> list[Settlement]:
    """Rows that give `total` back to the order's payments; none where it is nothing."""
    left, rows = total.total_minor, list[Settlement]()
    for payment in payments_left(rma.order_id, rma.order.payment_provider):
        part = min(left, max(0, payment.left_minor))
        if not part:
            continue
        first = not rows and not more
        row = new_row(
            rma,
            "refund",
            part,
            act,
            amounts=total.to_json() if first else {},
            provider=payment.provider,
            payment=payment.reference,
            **({"group_id": rows[0].group_id} if rows else {}),
            **more,
        )
        plan("settle", row.id, rma.shop_id, act.now)
        rows.append(row)
        left -= part
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
