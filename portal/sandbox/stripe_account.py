"""What the stand-in remembers as Stripe: objects on shelves, events, due changes. In memory."""

import secrets
import string
from collections import deque
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import Any, Final

import stripe
from flask import g, has_request_context

from portal.sandbox.account import Account, Hook
from portal.sandbox.refusals import Json
from portal.sandbox.stripe_cards import Card, Fate
from portal.sandbox.stripe_once import Once
from portal.sandbox.stripe_refusals import missing

API_VERSION: Final = stripe.api_version
LETTERS: Final = string.ascii_letters + string.digits
NOUNS: Final = {
    "payment_intent": "payment_intent",
    "charge": "charge",
    "refund": "refund",
    "checkout.session": "checkout.session",
    "setup_intent": "setupintent",
    "customer": "customer",
    "payment_method": "PaymentMethod",
    "dispute": "dispute",
    "file": "file upload",
    "event": "event",
    "balance_transaction": "balance transaction",
}


def new_id(prefix: str, length: int = 24) -> str:
    """pi_3PqR…: letters and digits after the prefix."""
    return f"{prefix}_" + "".join(secrets.choice(LETTERS) for _ in range(length))


@dataclass
class StripeHook(Hook):
    """A webhook endpoint: signed with a stamp, for the kinds of event it asked for."""

    enabled_events: list[str] = field(default_factory=list)
    description: str | None = None
    metadata: dict[str, str] = field(default_factory=dict)
    clock: Callable[[], datetime] | None = None

    def wants(self, kind: str) -> bool:
        """Whether events of this kind go here."""
        return self.disabled_at is None and bool({"*", kind} & set(self.enabled_events))

    def signed(self, body: bytes, secret: str) -> dict[str, str]:
        """The header that proves the sender and the second."""
        at = int(self.clock().timestamp()) if self.clock else None
        header = stripe.WebhookSignature.generate_signature_header(body.decode(), secret, at)
        return {"Stripe-Signature": str(header)}

    def shown(self) -> Json:
        """Without the secret, which is told once."""
        return {
            "id": self.id,
            "object": "webhook_endpoint",
            "api_version": API_VERSION,
            "application": None,
            "created": int(self.created_at.timestamp()),
            "description": self.description,
            "enabled_events": self.enabled_events,
            "livemode": False,
            "metadata": self.metadata,
            "status": "disabled" if self.disabled_at else "enabled",
            "url": self.url,
        }


@dataclass
class StripeEvent:
    """Something that happened, with the object as it stood then."""

    id: str
    body: Json
    pending: list[str] = field(default_factory=list)
    completed: list[str] = field(default_factory=list)
    status: str = "pending"

    @property
    def kind(self) -> str:
        """refund.created and the like."""
        return str(self.body["type"])

    def posted(self) -> Json:
        """As a webhook carries it, and as the list shows it."""
        return {**self.body, "pending_webhooks": len(self.pending)}


@dataclass(order=True)
class _Due:
    at: datetime
    number: int
    act: Callable[[], None] = field(compare=False)


class Till:
    """Stripe's side of the account. Hold the account's lock around everything but `once`."""

    def __init__(self, account: Account, key: str | None, webhook_secret: str | None) -> None:
        self.account = account
        self.key = key
        self.webhook_secret = webhook_secret
        self.ahead = timedelta(0)  # how far the door has moved this clock
        self.once = Once(self.now)
        self.shelves: dict[str, dict[str, Json]] = {noun: {} for noun in NOUNS}
        self.cards: dict[str, Card] = {}  # by payment method
        self.spent: set[str] = set()  # payment methods used once without a customer
        self.contents: dict[str, bytes] = {}  # by file
        self.lines: dict[str, list[Json]] = {}  # by checkout session
        self.wishes: dict[str, Json] = {}  # by checkout session: what it was asked for with
        self.events: dict[str, StripeEvent] = {}
        self.hooks: dict[str, StripeHook] = {}
        self.fates: deque[Fate] = deque()  # of the next refunds
        self.unlisted = timedelta(0)  # how long the list of refunds is behind
        self.bare = False  # whether that list leaves metadata out
        self._dues: list[_Due] = []
        self._numbers = count()

    def now(self) -> datetime:
        """The stand-in's moment."""
        return self.account.clock() + self.ahead

    def seconds(self) -> int:
        """The moment as Stripe stamps it."""
        return int(self.now().timestamp())

    def put(self, thing: Json) -> Json:
        """Keep a new object."""
        self.shelves[thing["object"]][thing["id"]] = thing
        return thing

    def one(self, noun: str, id: str, param: str = "id", status: int = 404) -> Json:
        """The object itself, not a copy. Raises StripeRefusal where there is none of that id."""
        found = self.shelves[noun].get(id)
        if found is None:
            raise missing(NOUNS[noun], id, param, status)
        return found

    def newest(self, noun: str, **wanted: Any) -> list[Json]:
        """Objects whose fields are as wanted (None: any), newest first."""
        asked = {name: value for name, value in wanted.items() if value is not None}
        return [
            each
            for each in reversed(self.shelves[noun].values())
            if all(each[name] == value for name, value in asked.items())
        ]

    def happened(self, kind: str, thing: Json, previous: Json | None = None) -> None:
        """Record an event and send it to the endpoints that asked for its kind."""
        told: Json = {"object": deepcopy(thing)}
        if previous is not None:
            told["previous_attributes"] = previous
        asked = g.get("stripe_request") if has_request_context() else None
        body: Json = {
            "id": new_id("evt"),
            "object": "event",
            "api_version": API_VERSION,
            "created": self.seconds(),
            "data": told,
            "livemode": False,
            "pending_webhooks": 0,
            "request": asked or {"id": None, "idempotency_key": None},
            "type": kind,
        }
        event = StripeEvent(body["id"], body)
        self.events[event.id] = event
        self.account.effects[kind] += 1
        self.send(event, [hook for hook in self.hooks.values() if hook.wants(kind)])

    def send(self, event: StripeEvent, hooks: Iterable[StripeHook]) -> None:
        """Hand an event to the courier, also once more."""
        chosen = list(hooks)
        event.pending = [hook.url for hook in chosen]
        event.status = "pending" if chosen else "completed"
        self.account.announce(event, chosen)

    def changed(self, kind: str, thing: Json, **values: Any) -> None:
        """Set fields and record the event with what they were before."""
        before = {name: thing[name] for name, value in values.items() if thing[name] != value}
        thing.update(values)
        self.happened(kind, thing, deepcopy(before))

    def at(self, moment: datetime, act: Callable[[], None]) -> None:
        """Do `act` once the clock is there; it must look again whether it still applies."""
        heappush(self._dues, _Due(moment, next(self._numbers), act))

    def tell_due(self) -> None:
        """Do what has come due."""
        while self._dues and self._dues[0].at <= self.now():
            heappop(self._dues).act()
