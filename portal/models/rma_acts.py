"""What is done with a return before its money: approved, declined, called off, sent, arrived."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import func, select

from carriers.contract import Status
from portal.db import session
from portal.models.audit import record
from portal.models.change import Conflict
from portal.models.due import plan_all
from portal.models.label import PRINTED, Label, return_parcel
from portal.models.line import OrderLine, Unit
from portal.models.outbox import Work
from portal.models.rma import Return, units_of
from portal.models.rma_exchange import ahead_of, release_exchanges, start_exchange
from portal.models.rma_line import ReturnLine
from portal.models.rma_news import REMINDED_BEFORE, approved, tell
from portal.models.rma_rows import Act
from portal.models.rma_settle import give_up, settle_early
from portal.models.settlement import settlements_of
from portal.models.shipment import Shipment
from portal.models.unit_claim import claim_units, held_by_others, release_units
from portal.sources.sentences import wrong

# Then an approval ends, if nothing was sent. USPS takes an unused label back for 30 days.
APPROVED_FOR: Final = timedelta(days=28)


def approve(rma: Return, by: str, now: datetime, note: str = "", override_reason: str = "") -> None:
    """Approve what waits for a decision; with a reason also what the rules declined.

    Raises Conflict where it was decided already, or a declined unit is elsewhere by now.
    """
    over = [line for line in rma.lines if line.outcome == "decline"]
    if rma.status == "declined":
        if not override_reason:
            raise Conflict(
                "This was declined. To approve it all the same, give override_reason. "
                "Nothing was changed."
            )
        rma.move("reopen", by, now, why=override_reason)
    if override_reason:
        _claim_again(over, rma.id, now)
    for line in rma.lines if override_reason else rma.approved_lines:
        line.outcome = "approve"
    rma.outcome = "approve"
    rma.move("approve", by, now, why=override_reason or note)
    rma.decided_by, rma.decided_at = by, now
    rma.note, rma.override_reason = note or rma.note, override_reason
    start(rma, Act(by, now))


def start(rma: Return, act: Act) -> None:
    """What an approval sets going: the label, the other variant, and money that moves at once."""
    work: list[Work] = []
    if rma.travels:
        rma.expires_at = act.now + APPROVED_FOR
        session.flush()
        work.append(("expire", rma.id, rma.shop_id, rma.expires_at - REMINDED_BEFORE))
        if rma.method in PRINTED:
            wanted = Label.want(rma.id, rma.method, act.now)
            work.append(("label", wanted, rma.shop_id, act.now))
    plan_all([*work, *approved(rma, act.now)])
    for line in rma.approved_lines:
        if line.resolution == "exchange":
            start_exchange(line, act.now)
    settle_early(rma, "label", act)


def decline(rma: Return, by: str, now: datetime, code: str, note: str = "") -> None:
    """Say no to what waits for a decision; its units are free again."""
    rma.move("decline", by, now, why=note, code=code)
    release_units(units_of(rma.lines), rma.id)
    for line in rma.lines:
        line.outcome = "decline"
    rma.outcome = "decline"
    rma.decided_by, rma.decided_at = by, now
    rma.rejection_code, rma.note = code, note
    tell(rma, "declined", now)


def cancel(rma: Return, by: str, now: datetime, reason: str = "") -> None:
    """Call it off, until the first scan and before money moved. Its units are free again."""
    if any(row.is_live and row.status != "failed" for row in settlements_of(rma.id)):
        raise Conflict("Money for this return is on its way, so it cannot be cancelled.")
    if ahead_of(rma) is not None:
        raise Conflict(
            "The other article is on its way already, so this cannot be cancelled. Send back what "
            "you have, or refuse the parcel that comes."
        )
    rma.move("cancel", by, now, why=reason)
    rma.cancel_reason = reason
    _let_go(rma, now)
    if by != "customer":
        tell(rma, "cancelled", now)


def expire(rma: Return, now: datetime) -> bool:
    """End an approval that nobody used; False where something was sent, or it is not time yet."""
    if rma.status != "approved" or rma.expires_at is None or now < rma.expires_at:
        return False
    if any(row.is_live and row.status != "failed" for row in settlements_of(rma.id)):
        return False
    rma.move("expire", "job", now)
    _let_go(rma, now)
    tell(rma, "expired", now)
    return True


def send(rma: Return, by: str, now: datetime, carrier: str, tracking_number: str) -> Shipment:
    """The customer's own parcel is on its way: follow it, and let its scans move the return."""
    if rma.status not in ("approved", "shipped", "expired"):
        raise Conflict(f"The return is {rma.status}, so that no parcel of it is awaited.")
    parcel = return_parcel(rma.order, rma.id, carrier, tracking_number, now)
    record(by, "return.parcel", f"return:{rma.id}", after={"tracking_number": tracking_number})
    rma.touch(now)
    return parcel


def ship(rma: Return, by: str, now: datetime) -> None:
    """The parcel was scanned for the first time. One that had expired is taken up again."""
    if rma.status == "expired":
        claim_units(units_of(rma.approved_lines), rma.id, now)
    rma.move("ship", by, now)
    rma.shipped_at, rma.expires_at = now, None
    tell(rma, "shipped", now)
    settle_early(rma, "first_scan", Act(by, now))


def arrive(rma: Return, by: str, now: datetime) -> None:
    """The parcel is back, or was handed in."""
    if rma.status == "expired":
        claim_units(units_of(rma.approved_lines), rma.id, now)
    rma.move("arrive", by, now)
    rma.arrived_at, rma.expires_at = now, None
    tell(rma, "arrived", now)
    settle_early(rma, "first_scan", Act(by, now))
    settle_early(rma, "arrival", Act(by, now))


def follow(shipment: Shipment, now: datetime) -> None:
    """A parcel on its way back has news: move its return. Call it with the order locked."""
    rma = Return.read(shipment.rma_id or "")
    if rma is None or shipment.status in (Status.UNKNOWN, Status.PRE_TRANSIT, Status.CANCELLED):
        return
    if rma.status in ("approved", "expired") and _can_be_taken_up(rma):
        ship(rma, "carrier", shipment.last_scan_at or now)
    if rma.status == "shipped" and shipment.status == Status.DELIVERED:
        arrive(rma, "carrier", shipment.delivered_at or now)


def _can_be_taken_up(rma: Return) -> bool:
    """An expired return whose units were asked for anew stays expired; staff see its parcel."""
    return not held_by_others(units_of(rma.approved_lines), rma.id)


def _claim_again(lines: list[ReturnLine], holder: str, now: datetime) -> None:
    """Hold the units of declined lines. Raises Conflict for what left the order meanwhile."""
    ids = units_of(lines)
    there = select(func.count()).select_from(Unit).join(OrderLine, OrderLine.id == Unit.line_id)
    skus = [line.sku for line in lines]
    known = session.scalar(there.where(Unit.id.in_(ids), OrderLine.sku.in_(skus)))
    if known != len(ids):
        raise Conflict("Something of this is no longer in the order. Nothing was changed.")
    claim_units(ids, holder, now)


def _let_go(rma: Return, now: datetime) -> None:
    give_up(rma)
    release_units(units_of(rma.lines), rma.id)
    release_exchanges(rma)
    Label.let_go(rma.id, now)


def check_code(code: str) -> None:
    """A rejection's code is a word for the customer's page. Raises Invalid."""
    if not code or not code.replace("_", "").isalnum():
        raise wrong("code", "Give a short code such as worn, incomplete or not_ours.")
