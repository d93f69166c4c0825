"""Parcels that never were: twelve days of scans, told over any span, for rehearsals and the demo.

The words are EasyPost's own (`failure`, not `exception`), so a stand-in can send them on as they
are. A step with `attempt` true is the first try at the door: a tracker that tells it also says so
in `carrier_detail.initial_delivery_attempt`, with exactly that step's instant.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple, TypedDict

STORY_DAYS: Final = 12


class Step(TypedDict):
    """One scan of a story. `at` is aware; `tz_offset_minutes` is the offset of that town."""

    at: datetime
    status: str
    status_detail: str
    message: str
    city: str | None
    state: str | None
    country: str | None
    zip: str | None
    tz_offset_minutes: int
    attempt: bool


class _Town(NamedTuple):
    city: str | None
    state: str | None
    country: str | None
    zip: str | None
    offset: int


class _Line(NamedTuple):
    day: float
    status: str
    detail: str
    message: str
    town: _Town
    attempt: bool = False


PORTLAND = _Town("PORTLAND", "OR", "US", "97218", -420)
BOISE = _Town("BOISE", "ID", "US", "83705", -360)
DENVER = _Town("DENVER", "CO", "US", "80239", -360)
CHICAGO = _Town("CHICAGO", "IL", "US", "60638", -300)
BROOKLYN = _Town("BROOKLYN", "NY", "US", "11215", -240)
SHOP = _Town("PORTLAND", "OR", "US", "97209", -420)
NEW_YORK = _Town("JAMAICA", "NY", "US", "11430", -240)
LEIPZIG = _Town("Leipzig", None, "DE", "04435", 120)
HAMBURG = _Town("Hamburg", None, "DE", "22113", 120)
BERLIN = _Town("Berlin", None, "DE", "10997", 120)
NOWHERE = _Town(None, None, None, None, 0)
# Where a parcel goes, with the towns it then passes instead: a rehearsal's shops lie apart.
ROUTES: Final = {
    "": {},
    "new_york": {
        SHOP: _Town("LISBOA", None, "PT", "1100", 0),
        NEW_YORK: _Town("LISBOA", None, "PT", "1700", 0),
        LEIPZIG: _Town("JAMAICA", "NY", "US", "11430", -300),
        HAMBURG: _Town("SECAUCUS", "NJ", "US", "07094", -300),
        BERLIN: _Town("BROOKLYN", "NY", "US", "11215", -300),
    },
    "berlin": {
        PORTLAND: _Town("Freiburg", None, "DE", "79108", 60),
        BOISE: _Town("Karlsruhe", None, "DE", "76189", 60),
        DENVER: _Town("Frankfurt am Main", None, "DE", "60549", 60),
        CHICAGO: _Town("Leipzig", None, "DE", "04435", 60),
        BROOKLYN: _Town("Berlin", None, "DE", "10997", 60),
    },
}


def _label() -> list[_Line]:
    return [
        _Line(
            0.0,
            "pre_transit",
            "label_created",
            "Shipping label created, waiting for the parcel",
            NOWHERE,
        ),
        _Line(
            0.9,
            "in_transit",
            "received_at_origin_facility",
            "Accepted at origin facility",
            PORTLAND,
        ),
        _Line(1.3, "in_transit", "departed_origin_facility", "Departed origin facility", PORTLAND),
    ]


def _across() -> list[_Line]:
    return [
        *_label(),
        _Line(2.8, "in_transit", "arrived_at_facility", "Arrived at regional facility", BOISE),
        _Line(5.0, "in_transit", "arrived_at_facility", "Arrived at regional facility", DENVER),
        _Line(5.6, "in_transit", "departed_facility", "Departed regional facility", DENVER),
        _Line(8.2, "in_transit", "arrived_at_facility", "Arrived at regional facility", CHICAGO),
    ]


def _last_mile(out: float = 11.6, arrived: float = 11.0) -> list[_Line]:
    return [
        _Line(
            arrived,
            "in_transit",
            "received_at_destination_facility",
            "Arrived at destination facility",
            BROOKLYN,
        ),
        _Line(out, "out_for_delivery", "out_for_delivery", "Out for delivery", BROOKLYN),
    ]


def _handed_over(day: float = 12.0) -> _Line:
    message = "Delivered, front door or porch"
    return _Line(day, "delivered", "arrived_at_destination", message, BROOKLYN)


def _on_time() -> list[_Line]:
    return [*_across(), *_last_mile(), _handed_over()]


def _delivered() -> list[_Line]:
    """The same road, told so that the parcel has been at the door for four days."""
    quick = [line._replace(day=line.day * 8 / 12) for line in [*_across(), *_last_mile()]]
    return [*quick, _handed_over(8.0)]


def _late() -> list[_Line]:
    message = "In transit, arriving late"
    return [*_across(), _Line(12.0, "in_transit", "delayed", message, CHICAGO)]


def _exception_weather() -> list[_Line]:
    message = "Weather delay, the parcel will move when roads reopen"
    return [*_across(), _Line(12.0, "failure", "weather_delay", message, CHICAGO)]


def _attempt_failed() -> list[_Line]:
    message = "Delivery attempted, no access to the delivery location"
    attempt = _Line(12.0, "failure", "delivery_exception", message, BROOKLYN, attempt=True)
    return [*_across(), *_last_mile(), attempt]


def _pickup() -> list[_Line]:
    message = "Ready for pickup at the post office, held for 15 days"
    held = _Line(12.0, "available_for_pickup", "arrived_at_pickup_location", message, BROOKLYN)
    return [*_across(), *_last_mile(), held]


def _return_to_sender() -> list[_Line]:
    refused = _Line(9.2, "failure", "refused", "Refused by the recipient", BROOKLYN)
    back = _Line(9.9, "return_to_sender", "return", "Returning to sender", BROOKLYN)
    arrived = _Line(12.0, "return_to_sender", "return", "Return, arrived at facility", CHICAGO)
    return [*_across(), *_last_mile(8.9, 8.6), refused, back, arrived]


def _lost_silent() -> list[_Line]:
    return [line for line in _across() if line.day < 3]


def _pre_transit() -> list[_Line]:
    return [line._replace(day=STORY_DAYS - 0.5) for line in _label()[:1]]


def _delivered_then_taken_back() -> list[_Line]:
    message = "Delivered to the wrong address, returned to the carrier for redelivery"
    taken = _Line(12.0, "in_transit", "missorted", message, BROOKLYN)
    return [*_across(), *_last_mile(10.4, 9.9), _handed_over(10.8), taken]


def _customs() -> list[_Line]:
    return [
        _Line(
            0.0,
            "pre_transit",
            "label_created",
            "Shipping label created, waiting for the parcel",
            NOWHERE,
        ),
        _Line(0.8, "in_transit", "received_at_origin_facility", "Accepted by the carrier", SHOP),
        _Line(3.1, "in_transit", "departed_facility", "Departed export facility", NEW_YORK),
        _Line(5.4, "in_transit", "arrived_at_facility", "Arrived in Germany", LEIPZIG),
        _Line(5.9, "in_transit", "held", "Held by customs, papers are being checked", LEIPZIG),
        _Line(9.3, "in_transit", "departed_facility", "Released by customs", LEIPZIG),
        _Line(10.7, "in_transit", "arrived_at_facility", "Arrived at parcel centre", HAMBURG),
        _Line(11.5, "out_for_delivery", "out_for_delivery", "Loaded into delivery van", BERLIN),
        _Line(12.0, "delivered", "arrived_at_destination", "Delivered to a neighbour", BERLIN),
    ]


_STORIES: Final = {
    "on_time": _on_time,
    "late": _late,
    "exception_weather": _exception_weather,
    "attempt_failed": _attempt_failed,
    "pickup": _pickup,
    "return_to_sender": _return_to_sender,
    "lost_silent": _lost_silent,
    "pre_transit": _pre_transit,
    "delivered": _delivered,
    "delivered_then_taken_back": _delivered_then_taken_back,
    "customs": _customs,
}

KINDS: Final = tuple(_STORIES)


def story(
    kind: str,
    *,
    ends: datetime,
    span: timedelta = timedelta(days=STORY_DAYS),
    route: str = "",
) -> list[Step]:
    """Tell the twelve days of `kind` within `span` before `ends`, oldest scan first.

    No scan is later than `ends`. Stories that close at the end have their last scan exactly there;
    `lost_silent`, `pre_transit` and `delivered` fell quiet earlier. Raises ValueError for a kind
    not in KINDS, a `route` not in ROUTES, a naive `ends` or an empty `span`.
    """
    if kind not in _STORIES:
        raise ValueError(f"No story is called {kind!r}; there are: {', '.join(KINDS)}.")
    if route not in ROUTES:
        raise ValueError(
            f"No route is called {route!r}; there are: {', '.join(filter(None, ROUTES))}."
        )
    if ends.utcoffset() is None or span <= timedelta(0):
        raise ValueError("A story needs an aware end and a span longer than nothing.")
    towns: Mapping[_Town, _Town] = ROUTES[route]
    lines = [line._replace(town=towns.get(line.town, line.town)) for line in _STORIES[kind]()]
    return [_step(line, ends - span * (1 - line.day / STORY_DAYS)) for line in lines]


def at(steps: Iterable[Step], moment: datetime) -> list[Step]:
    """The scans that have happened by `moment`, in the order told."""
    return [step for step in steps if step["at"] <= moment]


def _step(line: _Line, moment: datetime) -> Step:
    town = line.town
    return Step(
        at=moment,
        status=line.status,
        status_detail=line.detail,
        message=line.message,
        city=town.city,
        state=town.state,
        country=town.country,
        zip=town.zip,
        tz_offset_minutes=town.offset,
        attempt=line.attempt,
    )
