"""Doctor: what is being worked on, what waits, and what somebody has to look at."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from flask import current_app
from sqlalchemy import func, select

from portal.cli.findings import Finding, fail, ok, warn
from portal.db import session
from portal.jobs.queue import queue_of
from portal.jobs.reconcile import GAUGE
from portal.jobs.sweep import HEARTBEAT
from portal.models import HookEvent, Message, Order, Settlement, Shipment, Shop
from portal.models.due import backlog, read_gauge

ALIVE = timedelta(minutes=1)
LATE = timedelta(minutes=10)  # work that is due for longer than this is late
SHOWN = 10
RECENT = timedelta(days=7)


def of_work(now: datetime) -> Iterator[Finding]:
    """Queue, worker and backlog. Call it in `every_shop()`, as the others here."""
    if queue_of(current_app._get_current_object()).answers():  # type: ignore[attr-defined]
        yield ok("queue", "answers")
    else:
        yield warn(
            "queue",
            "does not answer; the sweep finds work without it, some seconds later",
            "Check QUEUE_URL and the server behind it.",
        )
    yield _worker(now)
    yield from _backlog(now)


def _worker(now: datetime) -> Finding:
    beat = read_gauge(HEARTBEAT)
    if beat is None:
        return fail("worker", "has never run on this house", "Start it: porchlight worker")
    age = now - beat[1]
    if age > ALIVE:
        return fail("worker", f"was last alive {_ago(age)}", "Start it: porchlight worker")
    return ok("worker", f"alive {_ago(age)}")


def _backlog(now: datetime) -> Iterator[Finding]:
    waiting = backlog(now)
    late = 0
    for queue, (count, oldest) in sorted(waiting.items()):
        if oldest is not None and now - oldest > LATE:
            late += 1
            yield warn(
                "backlog",
                f"{count} to {queue}, the oldest due {_ago(now - oldest)}",
                "See that a worker runs; if it does, start another beside it.",
            )
    if not late:
        count = sum(count for count, _ in waiting.values())
        yield ok("backlog", f"{count} due, none for longer than {_length(LATE)}")


def of_parcels() -> Iterator[Finding]:
    """Parcels that somebody has to put right, with what is suggested."""
    wrong = Shipment.problem != ""
    count = session.scalar(select(func.count()).select_from(Shipment).where(wrong)) or 0
    rows = session.execute(
        select(
            Shop.slug,
            Order.number,
            Shipment.carrier,
            Shipment.tracking_number,
            Shipment.problem_text,
            Shipment.problem_fix,
        )
        .join(Order, (Order.id == Shipment.order_id) & (Order.shop_id == Shipment.shop_id))
        .join(Shop, Shop.id == Shipment.shop_id)
        .where(wrong)
        .order_by(Shipment.problem_since, Shipment.id)
        .limit(SHOWN)
    ).all()
    for slug, number, carrier, tracking, said, fix in rows:
        yield warn("parcels", f"{slug} order {number}, {carrier} {tracking}: {said}", fix)
    if count > SHOWN:
        yield warn("parcels", f"and {count - SHOWN} more", "Correct these first.")
    if not count:
        yield ok("parcels", "none has a problem that somebody must put right")


def of_money(now: datetime) -> Iterator[Finding]:
    """What differs from the provider's ledger, and payouts that somebody must look at."""
    shops = session.execute(select(Shop.id, Shop.slug).order_by(Shop.id)).all()
    for shop_id, slug in shops:
        found = read_gauge(f"{GAUGE}:{shop_id}")
        if found is not None and found[0]:
            yield warn(
                "money",
                f"{slug}: {found[0]:.0f} differences from the provider {_ago(now - found[1])}",
                f"Run: porchlight reconcile --shop {slug}",
            )
    stuck = session.execute(
        select(Shop.slug, Settlement.status, func.count())
        .join(Shop, Shop.id == Settlement.shop_id)
        .where(Settlement.status.in_(("failed", "unknown")), Settlement.replaced.is_(False))
        .group_by(Shop.slug, Settlement.status)
        .order_by(Shop.slug, Settlement.status)
    ).all()
    for slug, status, count in stuck:
        yield warn("money", f"{slug}: {count} payouts {status}", "Look at the queue: Money stuck.")
    if not stuck and not any((read_gauge(f"{GAUGE}:{id}") or (0,))[0] for id, _ in shops):
        yield ok("money", "no difference from the provider is known, no payout is stuck")


def of_hooks(now: datetime) -> Iterator[Finding]:
    """Pushes that could not be read or applied."""
    rows = session.execute(
        select(HookEvent.state, func.count(), func.max(HookEvent.received_at))
        .where(HookEvent.state.in_(("quarantined", "failed")), HookEvent.received_at > now - RECENT)
        .group_by(HookEvent.state)
        .order_by(HookEvent.state)
    ).all()
    for state, count, newest in rows:
        yield warn(
            "hooks",
            f"{count} {state} in the last week, the newest {_ago(now - newest)}",
            "They are kept with their bytes in hook_event. If the provider changed its form, "
            "upgrade; polling fetches the same facts meanwhile.",
        )
    if not rows:
        yield ok("hooks", "none unreadable or failed in the last week")


def of_messages(now: datetime) -> Iterator[Finding]:
    """Messages that nobody will get."""
    rows = session.execute(
        select(Shop.slug, Message.error, func.count())
        .join(Shop, Shop.id == Message.shop_id)
        .where(Message.state == "dead", Message.created_at > now - RECENT)
        .group_by(Shop.slug, Message.error)
        .order_by(func.count().desc())
        .limit(SHOWN)
    ).all()
    for slug, error, count in rows:
        why = error or "no reason was kept"
        yield warn("messages", f"{slug}: {count} undeliverable in the last week ({why})",
                   "Correct the address on the order, or the mail server's settings.")  # fmt: skip
    if not rows:
        yield ok("messages", "none undeliverable in the last week")


def _ago(age: timedelta) -> str:
    return f"{_length(max(age, timedelta(0)))} ago"


def _length(time: timedelta) -> str:
    seconds = int(time.total_seconds())
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} seconds"
