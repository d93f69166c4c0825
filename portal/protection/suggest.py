"""What cover would have to cost, from the shop's own losses, with the arithmetic shown.

price = value of what went wrong / value of what was sent / the share that is to be paid out.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from portal.protection.plan import WHOLE

TARGET_POINTS: Final = 6_500  # 65 cents of each euro of premiums are paid out
CAP_POINTS: Final = 300  # nobody is asked for more than 3 % of the value
FEW: Final = 200  # below so many parcels a share says little
CAUSES: Final = ("lost", "not_received", "damaged")


@dataclass(frozen=True, slots=True)
class Losses:
    """What one lane, or all of them, lost. `claimed_minor` by cause: lost, not_received, damaged.

    A lane is a carrier and a country. Values are minor units of one currency.
    """

    lane: str
    parcels: int
    value_minor: int
    claims: dict[str, int]
    claimed_minor: dict[str, int]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A fair share of the value for one lane, in basis points rounded up, and how it came about."""

    lane: str
    parcels: int
    value_minor: int
    lost_minor: int
    loss_points: int
    target_points: int
    basis_points: int
    is_capped: bool
    is_thin: bool  # too few parcels: rather a guess
    arithmetic: tuple[str, ...]


def suggest(losses: Losses, target_points: int = TARGET_POINTS) -> Suggestion:
    """A price for one lane. Raises ValueError for a target that is not above nothing."""
    if not 0 < target_points <= WHOLE:
        raise ValueError("The target is a share of the premiums from 1 to 10000 basis points.")
    lost = sum(losses.claimed_minor.get(cause, 0) for cause in CAUSES)
    value = losses.value_minor
    loss_points = -(-lost * WHOLE // value) if value else 0
    asked = -(-lost * WHOLE * WHOLE // (value * target_points)) if value else 0
    points = min(asked, CAP_POINTS)
    return Suggestion(
        lane=losses.lane,
        parcels=losses.parcels,
        value_minor=value,
        lost_minor=lost,
        loss_points=loss_points,
        target_points=target_points,
        basis_points=points,
        is_capped=asked > CAP_POINTS,
        is_thin=losses.parcels < FEW,
        arithmetic=tuple(_arithmetic(losses, lost, asked, target_points)),
    )


def _arithmetic(losses: Losses, lost: int, asked: int, target_points: int) -> Iterable[str]:
    for cause in CAUSES:
        count, amount = losses.claims.get(cause, 0), losses.claimed_minor.get(cause, 0)
        yield f"{cause}: {count} of {losses.parcels} parcels, {amount}"
    yield f"lost in all: {lost} of {losses.value_minor} sent"
    yield f"paid out of premiums: {_percent(target_points)}"
    yield f"{lost} / {losses.value_minor} / {_percent(target_points)} = {_percent(asked)}"
    if asked > CAP_POINTS:
        yield f"at most {_percent(CAP_POINTS)}"


def _percent(points: int) -> str:
    return f"{points // 100}.{points % 100:02d} %"
