"""Everything the stand-in remembers, in memory, behind one lock. A restart forgets all of it."""

import hashlib
import hmac
import threading
import unicodedata
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Protocol
from uuid import uuid4

from portal.sandbox.asked import PageAsked
from portal.sandbox.easypost_numbers import standing_parcel
from portal.sandbox.faults import Faults
from portal.sandbox.parcels import Parcel
from portal.sandbox.refusals import Json, not_found

Clock = Callable[[], datetime]
USER: Final = "user_" + "0" * 31 + "1"
LOG_LENGTH: Final = 5000


def new_id(prefix: str) -> str:
    return f"{prefix}_{uuid4().hex}"


def stamp(moment: datetime) -> str:
    """2026-11-05T21:59:07Z: the grain of everything but events."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def fine_stamp(moment: datetime) -> str:
    """2026-11-05T21:59:07.123Z: the grain of events."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass
class Tracker:
    """One number being followed for the account; its scans are its parcel's."""

    id: str
    tracking_code: str
    carrier: str
    created_at: datetime
    updated_at: datetime
    shipment_id: str | None = None
    is_return: bool = False
    standing: Parcel | None = None  # a test number's own scans, fixed at its creation


@dataclass
class Hook:
    """A registered webhook. `failures` counts refused or unanswered attempts in a row."""

    id: str
    url: str
    secret: str | None
    headers: list[Json]
    created_at: datetime
    disabled_at: datetime | None = None
    failures: int = 0
    is_gone: bool = False

    def signed(self, body: bytes, secret: str) -> dict[str, str]:
        """The headers that prove who sent `body`: HMAC-SHA256 under the NFKD form of `secret`."""
        key = unicodedata.normalize("NFKD", secret).encode()
        digest = hmac.new(key, body, hashlib.sha256).hexdigest()
        return {"X-Hmac-Signature": f"hmac-sha256-hex={digest}"}

    def shown(self) -> Json:
        return {
            "id": self.id,
            "object": "Webhook",
            "mode": "test",
            "url": self.url,
            "created_at": stamp(self.created_at),
            "disabled_at": stamp(self.disabled_at) if self.disabled_at else None,
            "custom_headers": self.headers,
        }


@dataclass
class Event:
    """Something that happened, with the object as it stood then."""

    id: str
    description: str
    created_at: datetime
    previous: Json
    result: Json
    pending: list[str] = field(default_factory=list)
    completed: list[str] = field(default_factory=list)
    status: str = "pending"

    def listed(self) -> Json:
        return {
            "description": self.description,
            "id": self.id,
            "user_id": USER,
            "status": self.status,
            "created_at": fine_stamp(self.created_at),
            "mode": "test",
            "object": "Event",
        }

    def shown(self) -> Json:
        return {
            **self.listed(),
            "previous_attributes": self.previous,
            "pending_urls": list(self.pending),
            "completed_urls": list(self.completed),
            "updated_at": fine_stamp(self.created_at),
        }

    def posted(self) -> Json:
        """The body of the webhook: only here the event carries its object."""
        return {**self.shown(), "result": self.result}


class Told(Protocol):
    """What the courier needs to know of an event."""

    pending: list[str]  # URLs that have not taken it yet
    completed: list[str]
    status: str

    def posted(self) -> Json: ...


Announce = Callable[[Told, Sequence[Hook]], None]


@dataclass
class Account:
    """The one customer of the stand-in. Hold `lock` around everything below."""

    clock: Clock
    api_key: str | None = None
    webhook_secret: str | None = None
    lock: threading.RLock = field(default_factory=threading.RLock)
    trackers: dict[str, Tracker] = field(default_factory=dict)
    newest: dict[tuple[str, str], str] = field(default_factory=dict)  # carrier, code: tracker id
    parcels: dict[tuple[str, str], Parcel] = field(default_factory=dict)
    events: dict[str, Event] = field(default_factory=dict)
    hooks: dict[str, Hook] = field(default_factory=dict)
    shipments: dict[str, Json] = field(default_factory=dict)
    refunds: dict[str, Json] = field(default_factory=dict)
    insurances: dict[str, Json] = field(default_factory=dict)
    claims: dict[str, Json] = field(default_factory=dict)
    insured_up_to: str | None = None  # every registered parcel, where it is set
    insurer_waits: timedelta | None = None  # until it approves by itself
    faults: Faults = field(default_factory=Faults)
    log: deque[Json] = field(default_factory=lambda: deque(maxlen=LOG_LENGTH))
    requests: Counter[str] = field(default_factory=Counter)
    effects: Counter[str] = field(default_factory=Counter)
    announce: Announce = lambda event, hooks: None
    label_story: Callable[[str, str, datetime], Parcel] | None = None  # of parcels with a label
    beats: list[Callable[[], object]] = field(default_factory=list)

    def beat(self) -> None:
        """Let happen what has come due. Hold the lock."""
        for each in self.beats:
            each()

    def happened(self, description: str, result: Json, previous: Json | None = None) -> Event:
        """Record an event and send it to every enabled webhook."""
        hooks = [hook for hook in self.hooks.values() if hook.disabled_at is None]
        event = Event(new_id("evt"), description, self.clock(), previous or {}, result)
        self.events[event.id] = event
        self.effects[description] += 1
        self.send(event, hooks)
        return event

    def send(self, event: Event, hooks: list[Hook]) -> None:
        event.pending = [hook.url for hook in hooks]
        event.status = "pending" if hooks else "completed"
        self.announce(event, hooks)

    def scans_of(self, tracker: Tracker) -> Parcel | None:
        return tracker.standing or self.parcels.get((tracker.carrier, tracker.tracking_code))

    def stand_in_for(self, tracker: Tracker) -> None:
        tracker.standing = standing_parcel(
            tracker.tracking_code, tracker.carrier, tracker.created_at
        )


def one(shelf: dict[str, Any], key: str) -> Any:
    """The object of that id. Raises Refusal 404."""
    if key not in shelf:
        raise not_found()
    return shelf[key]


def page(items: list[Json], asked: PageAsked, key: str) -> Json:
    """Newest first, `before_id` and `after_id` left out themselves; unknown ids give 404."""
    items = [item for item in items if _within(item, asked)]
    ids = [item["id"] for item in items]
    if asked.before_id is not None:
        items = items[_place(ids, asked.before_id) + 1 :]
    if asked.after_id is not None:
        items = items[: _place(ids, asked.after_id)][-asked.page_size :]
    return {key: items[: asked.page_size], "has_more": len(items) > asked.page_size}


def _within(item: Json, asked: PageAsked) -> bool:
    created = datetime.fromisoformat(item["created_at"])
    after = asked.start_datetime is None or created >= asked.start_datetime
    return after and (asked.end_datetime is None or created < asked.end_datetime)


def _place(ids: list[str], wanted: str) -> int:
    if wanted not in ids:
        raise not_found()
    return ids.index(wanted)
