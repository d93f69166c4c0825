"""What a carrier is to us: the words, the facts it gives, the acts it can do, the ways it fails."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Final, Protocol


class Status(StrEnum):
    """Where a parcel is, as its carrier says. A word we do not know is UNKNOWN, never a guess."""

    UNKNOWN = "unknown"
    PRE_TRANSIT = "pre_transit"
    IN_TRANSIT = "in_transit"
    OUT_FOR_DELIVERY = "out_for_delivery"
    AVAILABLE_FOR_PICKUP = "available_for_pickup"
    ATTEMPT_FAILED = "attempt_failed"
    DELIVERED = "delivered"
    EXCEPTION = "exception"
    RETURN_TO_SENDER = "return_to_sender"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


# Nobody asks after these again. A scan that a hook brings may still move a parcel out of one.
FINAL: Final = frozenset({Status.DELIVERED, Status.CANCELLED, Status.EXPIRED})


@dataclass(frozen=True, slots=True)
class Place:
    """A town as the carrier wrote it; any part may be missing."""

    city: str | None = None
    region: str | None = None
    country: str | None = None
    postcode: str | None = None


@dataclass(frozen=True, slots=True)
class Scan:
    """One thing a carrier said about a parcel. Raises ValueError for an `at` without a zone."""

    at: datetime  # the real instant, kept in UTC
    status: Status
    offset_minutes: int | None = None  # local offset at the place; None: the carrier gave no zone
    detail: str = ""
    code: str = ""
    message: str = ""  # the carrier's own text
    city: str | None = None
    region: str | None = None
    country: str | None = None
    postcode: str | None = None
    source: str = ""  # the carrier, as the provider names it
    raw: Mapping[str, Any] = field(default_factory=dict, hash=False, repr=False)

    def __post_init__(self) -> None:
        if self.at.tzinfo is UTC:
            return
        if self.at.utcoffset() is None:
            raise ValueError("A scan needs an instant with a zone.")
        object.__setattr__(self, "at", self.at.astimezone(UTC))

    def key(self) -> str:
        """The same for the same scan by hook or by poll, today or next week: 32 hex digits.

        Covers what the scan says (instant, code, text, place, status, detail), not how it came.
        """
        place = (self.city, self.region, self.country, self.postcode)
        words = (self.code, self.message, *place, self.status.value, self.detail)
        said = "\x1f".join((self.at.isoformat(), *(" ".join((w or "").split()) for w in words)))
        return hashlib.sha256(said.casefold().encode("utf-8", "surrogatepass")).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Tracking:
    """Everything one answer said about one parcel."""

    provider_id: str
    carrier: str  # the provider's name for the carrier, "" when it does not know
    tracking_number: str
    status: Status
    detail: str = ""
    scans: tuple[Scan, ...] = ()
    estimated_delivery: datetime | None = None  # None when only a date is known
    estimated_local_date: date | None = None  # at the destination; never shifted by a zone
    service: str | None = None
    signed_by: str | None = None
    origin: Place = Place()
    destination: Place = Place()
    weight_oz: float | None = None
    attempted_at: datetime | None = None  # first try at the door
    updated_at: datetime | None = None
    is_return: bool = False
    finalized: bool = False
    public_url: str | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, hash=False, repr=False)


@dataclass(frozen=True, slots=True)
class Label:
    """A bought label. `reference` is ours, given before buying, so that a lost answer is found."""

    reference: str
    tracking_number: str
    carrier: str
    service: str
    url: str
    qr_url: str | None = None
    cost_minor: int = 0
    currency: str = "USD"


class Carrier(Protocol):
    """Who can be asked about parcels. Every failure is a CarrierError, nothing else."""

    def open_tracker(self, carrier: str | None, number: str) -> Tracking: ...
    def open_trackers(self, numbers: Sequence[str]) -> list[Tracking]: ...
    def read_tracker(self, provider_id: str) -> Tracking: ...
    def find(self, number: str, carrier: str | None) -> list[Tracking]: ...


class CarrierError(Exception):
    """Asking a carrier failed. Its text is for staff and holds no key and no foreign body."""

    def __init__(self, sentence: str, *, retry_after: float | None = None, code: str = "") -> None:
        super().__init__(sentence)
        self.retry_after = retry_after  # seconds the other side asked us to wait
        self.code = code  # the other side's own word


class Transient(CarrierError):
    """Not now: refused, reset, slow or broken on their side. Nothing was changed; ask again."""


class RateLimited(CarrierError):
    """Too many questions. Ask again after `retry_after`."""


class OutcomeUnknown(CarrierError):
    """We asked for a change and heard nothing back. Look first; do not ask for it again blindly."""


class NotFound(CarrierError):
    """They do not know this parcel or object."""


class AuthBroken(CarrierError):
    """The key is wrong, inactive or may not do this. No parcel can be asked about until fixed."""


class BadPayload(CarrierError):
    """They sent something that cannot be read. Nothing of it was used."""


class Rejected(CarrierError):
    """They understood and said no. `field_errors` holds (field, message) pairs."""

    def __init__(
        self,
        sentence: str,
        *,
        code: str = "",
        field_errors: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(sentence, code=code)
        self.field_errors = tuple(field_errors)
