"""Outgoing webhooks: endpoints that are told what happens, what was sent, sending it again."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Final, Literal

from pydantic import Field, field_validator
from sqlalchemy import func, select

from portal.api.endpoint import Call, endpoint
from portal.api.paging import PageQuery, cursor_of, place_of, unknown_cursor
from portal.api.refusal import not_found
from portal.api.replies import Reply
from portal.config import is_loopback
from portal.db import new_id, session
from portal.fetch import FetchError, check_url
from portal.models.audit import record
from portal.models.change import Conflict
from portal.models.webhook import (
    EVERYTHING,
    MOST_ENDPOINTS,
    TYPES,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookEvent,
    add_endpoint,
    tell,
    tell_again,
)
from portal.sources.document import Empty, Moment, Plain, Posted

ENDPOINT_ID: Final = re.compile(r"whe_[0-9a-z]{26}")
MOST_AGAIN: Final = 1000  # events sent again by one call
SCOPE: Final = "webhooks"
Url = Annotated[str, Field(min_length=1, max_length=2000), Plain]
Types = Annotated[list[str], Field(min_length=1, max_length=len(TYPES))]


class _Fields(Posted):
    """What both bodies hold."""

    @field_validator("url", check_fields=False)
    @classmethod
    def _url(cls, url: str | None) -> str | None:
        if url is None:
            return None
        try:
            parts = check_url(url)
        except FetchError as error:
            raise ValueError(str(error)) from None
        if parts.scheme != "https" and not is_loopback(parts.hostname):
            raise ValueError("This must begin with https://: what is sent is about your customers.")
        return url.strip()

    @field_validator("events", check_fields=False)
    @classmethod
    def _events(cls, events: list[str] | None) -> list[str] | None:
        for each in events or ():
            if each not in (EVERYTHING, *TYPES):
                raise ValueError(f"{each[:40]!r} is no event. There are: *, {', '.join(TYPES)}.")
        return list(dict.fromkeys(events)) if events is not None else None


class EndpointBody(_Fields):
    """Where to, and what about: `*` for everything."""

    url: Url
    events: Types = Field(default_factory=lambda: [EVERYTHING])
    description: Annotated[str, Field(max_length=200), Plain, Empty] = ""


class EndpointChange(_Fields):
    """What is to be different. `status` enabled starts again after it was disabled."""

    url: Url | None = None
    events: Types | None = None
    description: Annotated[str, Field(max_length=200), Plain] | None = None
    status: Literal["enabled", "disabled"] | None = None


class AgainBody(Posted):
    """What is sent again: one event, or everything that happened from `since` on."""

    event: Annotated[str, Field(max_length=40), Plain, Empty] = ""
    since: Moment | None = None
    only_failed: bool = False


class EndpointReply(Reply):
    """An endpoint. `problem` says why it was disabled."""

    id: str
    url: str
    events: list[str]
    description: str
    status: str
    problem: str
    failing_since: datetime | None
    created_at: datetime


class SecretReply(EndpointReply):
    """An endpoint with the secret that its messages are signed with: shown this once."""

    secret: str


class EndpointList(Reply):
    """All endpoints of the shop, oldest first."""

    endpoints: list[EndpointReply]


class DeliveryReply(Reply):
    """An event on its way: `wanted`, `done` or `failed`, after so many attempts."""

    id: str
    event: str
    type: str
    subject: str
    at: datetime
    status: str
    attempts: int
    answer: int | None
    problem: str
    done_at: datetime | None


class DeliveryPage(Reply):
    """Deliveries, newest first."""

    deliveries: list[DeliveryReply]
    next_cursor: str | None


class AgainReply(Reply):
    """How many messages are sent again."""

    planned: int


@endpoint("POST", "/webhook-endpoints", scope=SCOPE, body=EndpointBody, replies={201: SecretReply})
def post_webhook_endpoint(call: Call) -> tuple[int, SecretReply]:
    """Have an address told what happens from now on; the reply alone holds its secret."""
    if (session.scalar(select(func.count(WebhookEndpoint.id))) or 0) >= MOST_ENDPOINTS:
        raise Conflict(f"A shop has at most {MOST_ENDPOINTS} endpoints. Delete one first.")
    body: EndpointBody = call.body
    made, secret = add_endpoint(body.url, body.events, body.description, call.now)
    record(call.caller.who, "webhook.added", f"webhook:{made.id}", after={"events": made.events})
    return 201, SecretReply(**_told(made), secret=secret)


@endpoint("GET", "/webhook-endpoints", scope=SCOPE, replies={200: EndpointList})
def list_webhook_endpoints(call: Call) -> tuple[int, EndpointList]:
    """List the shop's endpoints."""
    rows = session.scalars(select(WebhookEndpoint).order_by(WebhookEndpoint.id))
    return 200, EndpointList(endpoints=[EndpointReply(**_told(row)) for row in rows])


@endpoint("GET", "/webhook-endpoints/{endpoint_id}", scope=SCOPE, replies={200: EndpointReply})
def read_webhook_endpoint(call: Call, endpoint_id: str) -> tuple[int, EndpointReply]:
    """Read an endpoint."""
    return 200, EndpointReply(**_told(_found(endpoint_id)))


@endpoint(
    "PATCH",
    "/webhook-endpoints/{endpoint_id}",
    scope=SCOPE,
    body=EndpointChange,
    replies={200: EndpointReply},
)
def change_webhook_endpoint(call: Call, endpoint_id: str) -> tuple[int, EndpointReply]:
    """Change an endpoint: its address, what it is told, or whether it is told anything."""
    found = _found(endpoint_id)
    before = _told(found)
    changes = call.body.model_dump(exclude_none=True)
    for name, value in changes.items():
        setattr(found, name, value)
    if changes.get("status") == "enabled":
        found.problem, found.failing_since = "", None
    after = {name: value for name, value in changes.items() if before[name] != value}
    if after:
        was = {name: before[name] for name in after}
        record(call.caller.who, "webhook.changed", f"webhook:{found.id}", before=was, after=after)
    return 200, EndpointReply(**_told(found))


@endpoint("DELETE", "/webhook-endpoints/{endpoint_id}", scope=SCOPE, replies={200: EndpointReply})
def delete_webhook_endpoint(call: Call, endpoint_id: str) -> tuple[int, EndpointReply]:
    """Tell an endpoint nothing more and forget it, with what was sent to it."""
    found = _found(endpoint_id)
    told = EndpointReply(**_told(found))
    session.delete(found)
    record(call.caller.who, "webhook.deleted", f"webhook:{endpoint_id}")
    return 200, told


@endpoint(
    "POST",
    "/webhook-endpoints/{endpoint_id}/secret",
    scope=SCOPE,
    replies={200: SecretReply},
)
def renew_webhook_secret(call: Call, endpoint_id: str) -> tuple[int, SecretReply]:
    """Give an endpoint a new secret; for 24 hours messages are signed with both."""
    found = _found(endpoint_id)
    secret = found.renew_secret(call.now)
    record(call.caller.who, "webhook.secret_renewed", f"webhook:{found.id}")
    return 200, SecretReply(**_told(found), secret=secret)


@endpoint("POST", "/webhook-endpoints/{endpoint_id}/test", scope=SCOPE, replies={202: AgainReply})
def test_webhook_endpoint(call: Call, endpoint_id: str) -> tuple[int, AgainReply]:
    """Send an endpoint a message of the type `webhook.test`."""
    found = _enabled(endpoint_id)
    event = WebhookEvent(id=new_id("evt", call.now), type="webhook.test", subject=found.id)
    event.key, event.at = event.id, call.now
    session.add(event)
    session.flush()
    return 202, AgainReply(planned=tell([(found, event.id)], call.now))


@endpoint(
    "POST",
    "/webhook-endpoints/{endpoint_id}/replay",
    scope=SCOPE,
    body=AgainBody,
    replies={202: AgainReply},
)
def replay_webhooks(call: Call, endpoint_id: str) -> tuple[int, AgainReply]:
    """Send again what happened in the last 30 days, whether it was taken or not.

    The messages keep their ids, so that a receiver knows what it has seen.
    """
    found = _enabled(endpoint_id)
    body: AgainBody = call.body
    wanted = select(WebhookEvent).order_by(WebhookEvent.at, WebhookEvent.id).limit(MOST_AGAIN)
    if body.event:
        wanted = wanted.where(WebhookEvent.id == body.event)
    if body.since is not None:
        wanted = wanted.where(WebhookEvent.at >= body.since)
    planned = 0
    for event in session.scalars(wanted).all():
        if found.wants(event.type) and event.type != "webhook.test":
            planned += _again(found, event, call.now, only_failed=body.only_failed)
    return 202, AgainReply(planned=planned)


class DeliveryQuery(PageQuery):
    """Which part of the list, and of which status."""

    status: Literal["wanted", "done", "failed"] | None = None


@endpoint(
    "GET",
    "/webhook-endpoints/{endpoint_id}/deliveries",
    scope=SCOPE,
    query=DeliveryQuery,
    replies={200: DeliveryPage},
)
def list_webhook_deliveries(call: Call, endpoint_id: str) -> tuple[int, DeliveryPage]:
    """List what was sent to an endpoint in the last 30 days, and what came of it."""
    found = _found(endpoint_id)
    query: DeliveryQuery = call.query
    rows = session.execute(_deliveries(found.id, query)).all()
    page = rows[: query.limit]
    more = len(rows) > query.limit
    return 200, DeliveryPage(
        deliveries=[_delivery(*row) for row in page],
        next_cursor=cursor_of(page[-1][0].id) if more else None,
    )


def _deliveries(endpoint_id: str, query: DeliveryQuery) -> Any:
    wanted: Any = (
        select(WebhookDelivery, WebhookEvent)
        .join(WebhookEvent, WebhookEvent.id == WebhookDelivery.event_id)
        .where(WebhookDelivery.endpoint_id == endpoint_id)
        .order_by(WebhookDelivery.id.desc())
        .limit(query.limit + 1)
    )
    if query.status:
        wanted = wanted.where(WebhookDelivery.status == query.status)
    if query.cursor:
        [last] = place_of(query.cursor, 1)
        if not last.startswith("whd_"):
            raise unknown_cursor()
        wanted = wanted.where(WebhookDelivery.id < last)
    return wanted


def _again(found: WebhookEndpoint, event: WebhookEvent, now: datetime, *, only_failed: bool) -> int:
    mine = (WebhookDelivery.endpoint_id == found.id, WebhookDelivery.event_id == event.id)
    was = session.scalar(select(WebhookDelivery).where(*mine))
    if was is None:
        return tell([(found, event.id)], now)
    if was.status == "wanted" or (only_failed and was.status != "failed"):
        return 0
    tell_again(was, now)
    return 1


def _found(endpoint_id: str) -> WebhookEndpoint:
    known = ENDPOINT_ID.fullmatch(endpoint_id)
    found = session.get(WebhookEndpoint, endpoint_id) if known else None
    if found is None:
        raise not_found()
    return found


def _enabled(endpoint_id: str) -> WebhookEndpoint:
    found = _found(endpoint_id)
    if found.status != "enabled":
        raise Conflict("The endpoint is disabled. Enable it first; nothing was sent.")
    return found


def _told(row: WebhookEndpoint) -> dict[str, Any]:
    return {name: getattr(row, name) for name in EndpointReply.model_fields}


def _delivery(row: WebhookDelivery, event: WebhookEvent) -> DeliveryReply:
    same = ("id", "status", "attempts", "answer", "problem", "done_at")
    return DeliveryReply(
        **{name: getattr(row, name) for name in same},
        event=event.id,
        type=event.type,
        subject=event.subject,
        at=event.at,
    )
