"""Facts as a receipt names them, made whole again, so that they can be decided over once more.

A receipt holds what a policy looked at: days of the shop's calendar, days since, shares. What
they were made of is found again here, so that a copied receipt gives the decision it came from.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, tzinfo
from typing import Annotated, Any, ClassVar, Final

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from returns.errors import DocumentError, FieldProblem, problems_of
from returns.facts import DAYS_SINCE, SOURCES, Facts, look, needed, plain
from returns.window import days_after, local_day

NOON: Final = time(12)
Bps = Annotated[int, Field(ge=0)] | None


@dataclass(frozen=True, kw_only=True)
class Derived:
    """What may be given in the place of what it follows from."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    requested_on: date | None = None
    ordered_on: date | None = None
    shipped_on: date | None = None
    delivered_on: date | None = None
    days_since_order: int | None = None
    days_since_shipment: int | None = None
    days_since_delivery: int | None = None
    unit_discount_bps: Bps = None
    share_bps: Annotated[int, Field(gt=0)] | None = None
    fault: str | None = None


_READ: Final = TypeAdapter(Derived)


def recall(
    document: Mapping[str, Any], at: datetime | None, now: datetime, zone: tzinfo
) -> tuple[Facts, datetime]:
    """Facts and the moment to decide at, out of posted ones and those that a receipt derives.

    Without `at` it is noon of the `requested_on` that is given, else `now`. `zone` is the
    policy's. Raises DocumentError with a sentence a field, also where two facts contradict.
    """
    told = {name: value for name, value in document.items() if name in SOURCES}
    given = {name: value for name, value in document.items() if name not in SOURCES}
    derived = _read(told)
    if derived.requested_on and at is None:
        at = datetime.combine(derived.requested_on, NOON, zone)
    moment = at or now
    found = _moments(derived, local_day(moment, zone), zone) | _shares(derived, given)
    facts = Facts.from_json(found | given)
    _agree(told, facts, moment, zone)
    return facts, moment


def _read(told: Mapping[str, Any]) -> Derived:
    try:
        return _READ.validate_json(json.dumps(told), strict=True)
    except ValidationError as error:
        raise DocumentError(problems_of("The facts", error, ["facts"])) from error


def _moments(derived: Derived, today: date, zone: tzinfo) -> dict[str, str]:
    """Moments out of days, and days out of days since: noon, wherever no moment is given.

    A receipt that says nothing of the order's day comes from a policy that does not look at it.
    """
    days = {day: getattr(derived, day) for day in DAYS_SINCE.values()}
    for since, day in DAYS_SINCE.items():
        passed = getattr(derived, since)
        if days[day] is None and passed is not None:
            days[day] = days_after(today, -passed)
    if derived.requested_on:
        days["ordered_on"] = days["ordered_on"] or derived.requested_on
    return {
        SOURCES[name][0]: datetime.combine(day, NOON, zone).isoformat()
        for name, day in days.items()
        if day is not None
    }


def _shares(derived: Derived, given: Mapping[str, Any]) -> dict[str, int]:
    """Whole numbers whose share is the one told, rounded down as shares are."""
    found: dict[str, int] = {}
    if derived.share_bps is not None:
        part = _count(given.get("request_quantity"), derived.share_bps)
        whole = part * 10_000 // derived.share_bps
        found |= {"request_quantity": derived.share_bps, "order_quantity": whole}
    if derived.unit_discount_bps is not None:
        whole = _count(given.get("unit_price_minor"), 10_000)
        off = -(-derived.unit_discount_bps * whole // 10_000)
        found |= {"unit_price_minor": whole, "unit_discount_minor": off}
    return found


def _count(value: object, otherwise: int) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    return otherwise


def _agree(told: Mapping[str, Any], facts: Facts, at: datetime, zone: tzinfo) -> None:
    """Raise DocumentError where something told is not what follows from the rest."""
    seen = look(facts, at, zone, needed(told))
    follows = {name: plain(getattr(seen, name)) for name in told}
    problems = [
        FieldProblem(
            f"facts.{name}",
            f"The facts' {name} is {told[name]!r}, but {value!r} follows from the others. "
            "Leave it out, or correct them.",
        )
        for name, value in follows.items()
        if value != told[name]
    ]
    if problems:
        raise DocumentError(problems)
