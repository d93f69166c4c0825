"""The five steps of a parcel: which are behind it, where it is, what is expected."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from portal.pages.dates import Calendar
from portal.pages.facts import OrderFacts, ParcelFacts
from portal.pages.speech import _
from portal.pages.state import State

Position = Literal["done", "now", "future"]

AT = {  # how many steps lie behind a parcel in this state
    State.PLACED: 0,
    State.PACKED: 1,
    State.UNKNOWN: 1,
    State.OUT_FOR_DELIVERY: 3,
    State.PICKUP: 3,
    State.ATTEMPT_FAILED: 3,
    State.REFUSED: 3,
    State.RETURNING: 3,
    State.DELIVERED: 4,
    State.RETURNED: 4,
}
BROKEN = {
    State.RETURNING,
    State.RETURNED,
    State.CANCELLED,
    State.LOST,
    State.EXPIRED,
    State.ADDRESS,
    State.INFORMATION,
    State.DAMAGED,
    State.REFUSED,
    State.HELD,
}
SMOOTH = {
    State.PLACED,
    State.PACKED,
    State.UNKNOWN,
    State.MOVING,
    State.NEAR,
    State.OUT_FOR_DELIVERY,
    State.PICKUP,
    State.DELIVERED,
}


@dataclass(frozen=True)
class Step:
    """One node. `when` is words, `day` the same date for machines."""

    label: str
    position: Position
    when: str = ""
    day: str = ""
    is_expected: bool = False


@dataclass(frozen=True)
class Stepper:
    """The nodes in order; dashed from the current one on while something holds the parcel up."""

    steps: tuple[Step, ...]
    is_held_up: bool = False


def stepper(
    order: OrderFacts, parcel: ParcelFacts | None, state: State, word: str, cal: Calendar
) -> Stepper:
    """The steps of one parcel, exactly one of them "now"."""
    labels = _labels(parcel, state, word)
    now = len(labels) - 1 if state is State.CANCELLED else AT.get(state, 2)
    past = _past(order, parcel, cal)
    steps = tuple(
        _step(index, label, now, past, parcel, state, cal) for index, label in enumerate(labels)
    )
    return Stepper(steps, is_held_up=state not in SMOOTH)


def _labels(parcel: ParcelFacts | None, state: State, word: str) -> tuple[str, ...]:
    if state is State.CANCELLED:
        return (_("Ordered"), word)
    carrier = (parcel.carrier_name if parcel else "") or _("the carrier")
    second = _("Handed to %(carrier)s", carrier=carrier)
    if state in (State.PLACED, State.PACKED, State.UNKNOWN):
        second = _("Packed") if state is not State.UNKNOWN else word
    labels = [_("Ordered"), second, _("On its way"), _("Out for delivery"), _("Delivered")]
    if state is State.PICKUP:
        labels[4] = _("Picked up")
    if state in (State.RETURNING, State.RETURNED):
        labels[3:] = [_("Coming back to us"), _("Back with us")]
    elif AT.get(state, 2) in (2, 3):
        labels[AT.get(state, 2)] = word
    return tuple(labels)


def _past(
    order: OrderFacts, parcel: ParcelFacts | None, cal: Calendar
) -> tuple[date | None, date | None, date | None, date | None, date | None]:
    """The local dates of the five steps as far as they happened."""
    ordered = cal.local(order.placed_at).date()
    if parcel is None:
        return ordered, None, None, None, None
    moves = [scan for scan in parcel.scans if not scan.hidden and scan.status != "pre_transit"]
    handed = min(moves, key=lambda scan: scan.at, default=None)
    vans = [scan for scan in moves if scan.status == "out_for_delivery"]
    van = max(vans, key=lambda scan: scan.at, default=None)
    done = parcel.delivered_at and cal.local(parcel.delivered_at, parcel.delivered_offset_minutes)
    return (
        ordered,
        cal.local(handed.at, handed.offset_minutes).date() if handed else _day(parcel, cal),
        None,
        cal.local(van.at, van.offset_minutes).date() if van else None,
        done.date() if done else None,
    )


def _day(parcel: ParcelFacts, cal: Calendar) -> date | None:
    return cal.local(parcel.shipped_at).date() if parcel.shipped_at else None


def _step(
    index: int,
    label: str,
    now: int,
    past: tuple[date | None, ...],
    parcel: ParcelFacts | None,
    state: State,
    cal: Calendar,
) -> Step:
    if index < now:
        return _dated(label, "done", past[index], cal)
    if index == now:
        return _current(label, past[index], parcel, state, cal)
    expected = _expected(index, parcel, state, cal)
    if expected is None:
        return Step(label, "future")
    text = _("exp. %(day)s", day=cal.short(expected))
    return Step(label, "future", text, expected.isoformat(), is_expected=True)


def _current(
    label: str, day: date | None, parcel: ParcelFacts | None, state: State, cal: Calendar
) -> Step:
    since: datetime | None = parcel.since if parcel else None
    if state in (State.MOVING, State.NEAR, State.OUT_FOR_DELIVERY):
        return _dated(label, "now", cal.today, cal)
    if day is None and since is not None:
        started = cal.local(since).date()
        text = _("since %(day)s", day=cal.short(started))
        return Step(label, "now", text, started.isoformat())
    return _dated(label, "now", day, cal)


def _dated(label: str, position: Position, day: date | None, cal: Calendar) -> Step:
    if day is None:
        return Step(label, position)
    return Step(label, position, cal.short(day), day.isoformat())


def _expected(index: int, parcel: ParcelFacts | None, state: State, cal: Calendar) -> date | None:
    """The date in force for a step still ahead; none once it has passed or means nothing."""
    if parcel is None or state in BROKEN or state is State.PICKUP or index < 3:
        return None
    if state is State.OUT_FOR_DELIVERY:
        return cal.today
    last = parcel.eta_to or parcel.eta_from
    if last is None or last < cal.today:
        return None
    return max(parcel.eta_from or last, cal.today) if index == 3 else last
