"""An order's returns and claims as its tracking page shows them: columns for its one statement."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import ScalarSelect, func, select

from portal.db import session
from portal.keys import Unsealable, unseal
from portal.models import Claim, Order, OrderLine, Return, UnitClaim
from portal.models.line import Unit
from portal.pages.brand import url_in
from portal.pages.facts import ClaimFacts, ReturnFacts


def returns_column(array: Callable[[Mapping[str, Any]], Any]) -> ScalarSelect[Any]:
    """The order's returns, as one JSON array."""
    fields = {
        "number": Return.number,
        "status": Return.status,
        "token": Return.token_sealed,
        "at": Return.requested_at,
    }
    mine = select(array(fields)).where(Return.order_id == Order.id)
    return mine.correlate(Order).scalar_subquery()


def claims_column(array: Callable[[Mapping[str, Any]], Any]) -> ScalarSelect[Any]:
    """The order's claims, as one JSON array."""
    fields = {
        "number": Claim.number,
        "status": Claim.status,
        "token": Claim.token_sealed,
        "at": Claim.asked_at,
    }
    mine = select(array(fields)).where(Claim.order_id == Order.id)
    return mine.correlate(Order).scalar_subquery()


def pieces_column() -> ScalarSelect[int]:
    """How many pieces were ordered."""
    pieces = select(func.count()).select_from(Unit).join(OrderLine, OrderLine.id == Unit.line_id)
    return pieces.where(OrderLine.order_id == Order.id).correlate(Order).scalar_subquery()


def held_column() -> ScalarSelect[int]:
    """How many of them are in a return or claim already."""
    held = (
        select(func.count())
        .select_from(UnitClaim)
        .join(Unit, Unit.id == UnitClaim.unit_id)
        .join(OrderLine, OrderLine.id == Unit.line_id)
    )
    return held.where(OrderLine.order_id == Order.id).correlate(Order).scalar_subquery()


def returns_told(rows: Iterable[Mapping[str, Any]] | None) -> tuple[ReturnFacts, ...]:
    """The returns, oldest first. One whose link was sealed with a lost key has no link."""
    return tuple(
        ReturnFacts(row["number"], row["status"], _token(row["token"])) for row in _in_turn(rows)
    )


def claims_told(rows: Iterable[Mapping[str, Any]] | None) -> tuple[ClaimFacts, ...]:
    """The claims, oldest first. One whose link was sealed with a lost key has no link."""
    return tuple(
        ClaimFacts(row["number"], row["status"], _token(row["token"])) for row in _in_turn(rows)
    )


def _in_turn(rows: Iterable[Mapping[str, Any]] | None) -> list[Mapping[str, Any]]:
    return sorted(rows or (), key=lambda row: str(row["at"]))


def return_pages(order: Order) -> dict[str, str]:
    """For each article that a return holds something of: the address of the newest such return."""
    rows = session.execute(
        select(OrderLine.sku, Return.token_sealed)
        .join(Unit, Unit.line_id == OrderLine.id)
        .join(UnitClaim, UnitClaim.unit_id == Unit.id)
        .join(Return, Return.id == UnitClaim.holder)
        .where(OrderLine.order_id == order.id)
        .order_by(Return.requested_at)
    )
    tokens = {row.sku: _token(row.token_sealed) for row in rows}
    return {sku: url_in("rma.page", token=token) for sku, token in tokens.items() if token}


def _token(sealed: str) -> str:
    try:
        return unseal(sealed)
    except Unsealable:
        return ""
