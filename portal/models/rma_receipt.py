"""What came back: counted, looked at, accepted or not. Two facts about every unit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import update

from portal.db import session
from portal.models.audit import record
from portal.models.catalog import Variant
from portal.models.rma import Return
from portal.models.rma_acts import arrive
from portal.models.rma_line import ReturnUnit
from portal.models.rma_news import tell
from portal.models.rma_rows import Act
from portal.models.rma_settle import finish
from portal.models.unit_claim import claim_units
from portal.sources.sentences import wrong
from returns.lifecycle import ACCEPTANCE, RECEPTION

DISPOSITIONS: Final = ("restock", "resale_hold", "recycle", "donate", "missing")
ACCEPTED_UNSEEN: Final = ("", "A", "B")  # without a word these are accepted; C and D need one


@dataclass(frozen=True, slots=True)
class Count:
    """How many of an article were found, in which condition, and what becomes of them.

    `accept` None: accepted in condition A or B, or where none is given; else somebody must say.
    """

    sku: str
    quantity: int
    condition: str = ""
    disposition: str = ""
    accept: bool | None = None
    note: str = ""


def receive(rma: Return, counts: Sequence[Count], by: str, now: datetime) -> None:
    """Write down what was in the parcel. Of an article that is counted, the rest is missing.

    Articles that are not counted are still awaited. What turns up later is counted again. Raises
    Invalid for an article or a number that the return does not announce, Conflict where nothing
    is awaited.
    """
    _open(rma, by, now)
    for place, count in enumerate(counts):
        for unit in _found(rma, count, place):
            _receive(unit, count, rma.id, now)
    for sku in {count.sku for count in counts}:
        for unit in (each for each in _of(rma, sku) if each.reception == "awaited"):
            unit.advance(RECEPTION, "reception", "miss")
    session.flush()
    if rma.status == "arrived" and all(unit.is_judged for unit in _travelling(rma)):
        rma.move("check", by, now)
        rma.checked_at = now
        tell(rma, "checked", now)
    _restock(rma, now)
    told = [[count.sku, count.quantity, count.condition, count.accept] for count in counts]
    record(by, "return.received", f"return:{rma.id}", after={"counted": told})
    rma.touch(now)
    finish_if_paid(rma, by, now)


def _open(rma: Return, by: str, now: datetime) -> None:
    if rma.status == "settled":
        rma.move("unsettle", by, now, why="Something more was received.")
        rma.settled_at = None
    elif rma.status not in ("arrived", "checked"):
        arrive(rma, by, now)


def lose(rma: Return, by: str, now: datetime, *, accept: bool, note: str = "") -> None:
    """The parcel was lost on its way. With `accept` the shop bears it, and the units are paid."""
    for unit in (each for each in _travelling(rma) if each.reception == "awaited"):
        unit.advance(RECEPTION, "reception", "lose")
        unit.note, unit.judged_at = note, now
        unit.advance(ACCEPTANCE, "acceptance", "accept" if accept else "reject")
    record(by, "return.lost", f"return:{rma.id}", after={"accept": accept}, why=note)
    rma.touch(now)


def finish_if_paid(rma: Return, by: str, now: datetime) -> None:
    """Money that moved before the inspection needs no further act once everything is judged."""
    if rma.status == "checked" and all(
        unit.settlement_id is not None for unit in rma.units if unit.acceptance == "accepted"
    ):
        paid = any(unit.settlement_id is not None for unit in rma.units)
        if paid:
            finish(rma, Act(by, now))


def _travelling(rma: Return) -> list[ReturnUnit]:
    return [unit for line in rma.approved_lines if not line.keeps for unit in line.units]


def _of(rma: Return, sku: str) -> list[ReturnUnit]:
    return [unit for unit in _travelling(rma) if unit.line.sku == sku]


def _found(rma: Return, count: Count, place: int) -> list[ReturnUnit]:
    """The units that a count is about: those not received yet first, then those not judged."""
    mine = _of(rma, count.sku)
    if not mine:
        raise wrong(f"lines.{place}.sku", "The return announces nothing of this sku.")
    open_to = [unit for unit in mine if unit.settlement_id is None or unit.reception != "received"]
    ordered = sorted(open_to, key=_turn)
    if count.quantity > len(ordered):
        raise wrong(
            f"lines.{place}.quantity",
            f"Only {len(ordered)} of this can still be counted. Write what came besides into the "
            "note.",
        )
    return ordered[: count.quantity]


def _turn(unit: ReturnUnit) -> tuple[int, int]:
    """In which order units are taken for a count."""
    if unit.received_at is None:
        return ("awaited", "lost", "not_in_parcel").index(unit.reception), unit.unit_id
    return (3 if unit.acceptance == "pending" else 4), unit.unit_id


def _receive(unit: ReturnUnit, count: Count, holder: str, now: datetime) -> None:
    if unit.reception != "received":
        if unit.reception == "not_in_parcel":
            claim_units([unit.unit_id], holder, now)  # it was free when the return had ended
        unit.advance(RECEPTION, "reception", "receive")
        unit.received_at = now
    unit.condition = count.condition or unit.condition
    unit.disposition = count.disposition or unit.disposition
    unit.note = count.note or unit.note
    accept = count.accept
    if accept is None and unit.acceptance == "pending" and count.condition in ACCEPTED_UNSEEN:
        accept = True
    wanted = {True: "accepted", False: "rejected", None: unit.acceptance}[accept]
    if unit.acceptance != wanted:
        unit.advance(ACCEPTANCE, "acceptance", "accept" if accept else "reject")
        unit.judged_at = now


def _restock(rma: Return, now: datetime) -> None:
    """Put what can be sold again on the variant's count, once."""
    fresh = [
        unit
        for unit in _travelling(rma)
        if unit.disposition == "restock"
        and unit.reception == "received"
        and unit.acceptance == "accepted"
        and unit.restocked_at is None
    ]
    for sku, count in _by_sku(fresh).items():
        session.execute(
            update(Variant)
            .where(Variant.sku == sku, Variant.available.is_not(None))
            .values(available=Variant.available + count)
            .execution_options(synchronize_session=False)
        )
    for unit in fresh:
        unit.restocked_at = now


def _by_sku(units: Iterable[ReturnUnit]) -> dict[str, int]:
    found: dict[str, int] = {}
    for unit in units:
        found[unit.line.sku] = found.get(unit.line.sku, 0) + 1
    return found
