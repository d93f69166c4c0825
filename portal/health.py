"""Whether the house lives, can serve, and how it does: for machines that watch it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from flask import Blueprint, Response, abort, jsonify, request
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from sqlalchemy import func, select, text
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from portal import clock
from portal.db import every_shop, session
from portal.keys import settings
from portal.migrations import schema_is_current
from portal.models import Gauge as Gauges
from portal.models import Message, Pulse, Shipment, Shop
from portal.models.due import QUEUES, backlog
from portal.models.shipment import OF_CONCERN
from portal.security import is_same

bp = Blueprint("health", __name__)
DAY: Final = timedelta(days=1)
LATELY: Final = timedelta(days=30)


@bp.get("/healthz")
def alive() -> Response:
    """The process answers."""
    return jsonify(status="alive")


@bp.get("/readyz")
def ready() -> tuple[Response, int]:
    """The database answers and its schema is the code's."""
    try:
        session.execute(text("SELECT 1"))
        current = schema_is_current()
    except Exception:
        return jsonify(status="unready", because="The database does not answer."), 503
    if not current:
        return jsonify(status="unready", because="Run `porchlight migrate` first."), 503
    return jsonify(status="ready"), 200


@bp.get("/metrics")
def metrics() -> Response:
    """Prometheus figures, for whoever has METRICS_TOKEN."""
    token = settings().metrics_token
    if not token:
        abort(404)
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if not is_same(given, token):
        raise Unauthorized(www_authenticate=WWWAuthenticate("bearer"))
    return Response(_figures(), mimetype="text/plain; version=0.0.4")


def _figures() -> bytes:
    registry = CollectorRegistry()
    due = Gauge("porchlight_due", "Rows that are due", ["queue"], registry=registry)
    late = Gauge("porchlight_due_age_seconds", "Oldest due row", ["queue"], registry=registry)
    parcels = Gauge("porchlight_shipments", "Parcels", ["status"], registry=registry)
    messages = Gauge("porchlight_messages", "Messages", ["state"], registry=registry)
    problems = Gauge("porchlight_problems", "Parcels that need staff", registry=registry)
    now = clock.now()
    with every_shop():
        waiting = backlog(now)
        for queue in QUEUES:
            count, oldest = waiting.get(queue, (0, None))
            due.labels(queue).set(count)
            late.labels(queue).set((now - oldest).total_seconds() if oldest else 0)
        for status, count in _counts(Shipment.status):
            parcels.labels(status).set(count)
        for state, count in _counts(Message.state):
            messages.labels(state).set(count)
        problems.set(session.scalar(select(func.count()).where(Shipment.problem != "")) or 0)
        _asking(registry, now)
    return bytes(generate_latest(registry))


def _asking(registry: CollectorRegistry, now: datetime) -> None:
    """How much carriers are asked, and whether their hooks arrive."""
    concerns = Gauge("porchlight_concerns", "Parcels to look at", ["concern"], registry=registry)
    asked = Gauge("porchlight_asked_today", "Questions since midnight UTC", registry=registry)
    polls = Gauge("porchlight_polls_per_parcel", "Of those delivered lately", registry=registry)
    lost = Gauge("porchlight_hooks_lost", "Hooks lost since the last", ["shop"], registry=registry)
    for concern, count in _counts(Shipment.concern, OF_CONCERN):
        concerns.labels(concern).set(count)
    since = (Gauges.name.startswith("asked:"), Gauges.at > now - DAY)
    asked.set(session.scalar(select(func.sum(Gauges.value)).where(*since)) or 0)
    lately = (Shipment.status == "delivered", Shipment.delivered_at > now - LATELY)
    polls.set(session.scalar(select(func.avg(Shipment.polls)).where(*lately)) or 0)
    for slug, count in session.execute(
        select(Shop.slug, Pulse.lost).join(Pulse, Pulse.shop_id == Shop.id)
    ):
        lost.labels(slug).set(count)


def _counts(column: Any, *where: Any) -> list[tuple[str, int]]:
    rows = session.execute(select(column, func.count()).where(*where).group_by(column)).all()
    return [(key, count) for key, count in rows]
