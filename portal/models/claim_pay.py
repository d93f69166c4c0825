"""Paying a claim: rows first, each once, never above what was paid for the units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, update

from portal.db import session
from portal.models.booking import done
from portal.models.catalog import Variant
from portal.models.change import Conflict
from portal.models.claim import Claim, ClaimUnit
from portal.models.claim_news import tell
from portal.models.credit import give_credit
from portal.models.dispute import refuse_blocked
from portal.models.due import plan
from portal.models.ledger import sums_of
from portal.models.order import Order
from portal.models.rma_rows import Act, credit_ends, new_row, refund_rows
from portal.models.settlement import Settlement, settlements_of
from portal.sources.document import OrderDocument
from portal.sources.sentences import read_as
from returns.money import Amounts, apportion


def pay(claim: Claim, amount_minor: int, act: Act) -> None:
    """Give what was wanted for an approved claim, at most what is left of the order's money.

    A piece that is not in stock is refunded instead; so is credit that nobody could use.
    """
    left = sums_of([claim.order_id])[claim.order_id].refundable_minor
    total = _amounts(claim, min(amount_minor, left))
    claim.payout_minor = total.total_minor
    if claim.wanted == "reship" and not _taken_from_stock(claim, act.now):
        claim.wanted = "refund"
    if claim.wanted == "store_credit" and claim.customer_id is None:
        claim.wanted = "refund"
    {"reship": _reship, "store_credit": _credit, "refund": _refund}[claim.wanted](claim, total, act)
    session.flush()
    if not paid(claim, act.by, act.now):
        tell(claim, act.now)


def paid(claim: Claim, by: str, now: datetime) -> bool:
    """End an approved claim once everything wanted for it is done; False where it is not."""
    rows = [row for row in settlements_of(claim.id) if row.is_live]
    if claim.status != "approved" or not rows or any(row.status != "done" for row in rows):
        return False
    claim.move("pay", by, now, amount_minor=claim.payout_minor)
    claim.paid_at = now
    tell(claim, now)
    return True


def unpaid(claim: Claim, by: str, now: datetime, why: str) -> None:
    """The provider refused, or took back what it had done: the claim is open to be paid again."""
    claim.touch(now)
    if claim.status == "paid":
        claim.move("unpay", by, now, why=why)
        claim.paid_at = None


def retry(claim: Claim, act: Act) -> list[Settlement]:
    """Try what failed once more. Raises Conflict where nothing of it failed."""
    failed = [row for row in settlements_of(claim.id) if row.is_live and row.status == "failed"]
    if not failed:
        raise Conflict("Nothing of this claim has failed, so there is nothing to try again.")
    refuse_blocked(claim.order_id)
    for row in failed:
        row.move("retry")
        row.round, row.problem = row.round + 1, ""
        plan("settle", row.id, row.shop_id, act.now)
    claim.touch(act.now)
    return failed


def _amounts(claim: Claim, total_minor: int) -> Amounts:
    """What is paid, split into goods and the tax that was added to them."""
    shares = [unit.share for unit in claim.units]
    goods = sum(share.value_minor for share in shares)
    added = sum(share.added_tax_minor for share in shares)
    items, tax = apportion(total_minor, [goods, added])
    inside = sum(share.tax_minor for share in shares if share.tax_included)
    return Amounts(items_minor=items, tax_minor=tax or inside, total_minor=total_minor)


def _refund(claim: Claim, total: Amounts, act: Act) -> None:
    if not refund_rows(claim, total, act):
        row = new_row(claim, "refund", 0, act, amounts=total.to_json())
        row.status, row.done_at = "done", act.now


def _credit(claim: Claim, total: Amounts, act: Act) -> None:
    row = new_row(claim, "store_credit", total.total_minor, act, amounts=total.to_json())
    session.flush()
    give_credit(
        claim.customer_id or "",
        total.total_minor,
        claim.currency,
        f"{row.id}:credited",
        act.now,
        kind="credited",
        expires_at=credit_ends(claim, act.now),
        subject=claim.id,
    )
    done(row, "credited", "", act.now)


def _reship(claim: Claim, total: Amounts, act: Act) -> None:
    """The same pieces once more, as an order of their own that nothing is due for."""
    row = new_row(claim, "reship", total.total_minor, act, amounts=total.to_json())
    session.flush()
    made, _ = Order.upsert(_document(claim, total, act.now), act.now, act.by)
    session.flush()
    done(row, "payout", made.id, act.now)


def _taken_from_stock(claim: Claim, now: datetime) -> bool:
    """Take every piece off the variants' counts, or none. What is not counted is there."""
    with session.begin_nested() as attempt:
        for sku, count in Counter(unit.sku for unit in claim.units).items():
            if Variant.of(sku) is None:
                continue
            taken = session.execute(
                update(Variant)
                .where(
                    Variant.sku == sku,
                    or_(Variant.available.is_(None), Variant.available >= count),
                )
                .values(available=Variant.available - count, updated_at=now)
                .returning(Variant.sku)
                .execution_options(synchronize_session=False)
            ).first()
            if taken is None:
                attempt.rollback()
                return False
    return True


def _document(claim: Claim, total: Amounts, now: datetime) -> OrderDocument:
    """The same articles; what was paid for them is what the new order has been paid with."""
    order = claim.order
    short_minor = sum(unit.share.paid_minor for unit in claim.units) - total.total_minor
    return read_as(
        OrderDocument,
        {
            "number": _free_number(claim),
            "email": order.email,
            "phone": order.phone,
            "placed_at": now,
            "currency": order.currency,
            "shipping_address": order.address,
            "lines": [_line(units) for units in _alike(claim).values()],
            "discount_minor": min(short_minor, sum(u.share.value_minor for u in claim.units)),
            "payment": {
                "provider": order.payment_provider,
                "reference": order.payment_reference,
                "captured_minor": total.total_minor,
            },
        },
    )


def _alike(claim: Claim) -> dict[tuple[str, int, bool], list[ClaimUnit]]:
    """The units by article, price and way of taxing."""
    found: dict[tuple[str, int, bool], list[ClaimUnit]] = {}
    for unit in claim.units:
        share = unit.share
        found.setdefault((unit.sku, share.price_minor, share.tax_included), []).append(unit)
    return found


def _line(units: Sequence[ClaimUnit]) -> dict[str, Any]:
    shares = [unit.share for unit in units]
    return {
        "sku": units[0].sku,
        "title": units[0].title,
        "variant": units[0].variant,
        "quantity": len(units),
        "unit_price_minor": shares[0].price_minor,
        "discount_minor": sum(share.discount_minor for share in shares),
        "tax_minor": sum(share.tax_minor for share in shares),
        "tax_included": shares[0].tax_included,
    }


def _free_number(claim: Claim) -> str:
    """The claim's number, `<number>-C1`; with a count where an order has that name already."""
    number, n = claim.number, 1
    while Order.numbered(number) is not None:
        n += 1
        number = f"{claim.number}-{n}"
    return number
