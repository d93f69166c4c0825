"""What a return's acts are worth saying to its customer, and when that is true no more.

Each act plans its mail in its own transaction. What the mail says is read when it is sent: it is
dropped then if its return has moved on, so that nobody reads of what is over.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select

from portal.db import session
from portal.models.due import plan, plan_all
from portal.models.exchange import Exchange
from portal.models.instant import Instant
from portal.models.label import PRINTED, labels_of
from portal.models.message import Message
from portal.models.outbox import Work, want
from portal.models.rma import Return
from portal.models.settlement import Settlement, settlements_of

LIFE: Final = timedelta(days=7)  # what could not be sent for so long is not sent any more
LABEL_WITHIN: Final = timedelta(minutes=2)  # an approval waits so long to be sent with its label
REMINDED_BEFORE: Final = timedelta(days=5)  # the end of an approval
EVER: Final = ("approved", "expired", "shipped", "arrived", "checked", "settled")
STAGES: Final = {
    "return_requested": ("requested",),
    "return_approved": ("approved",),
    "return_declined": ("declined",),
    "return_label": ("approved",),
    "return_reminder": ("approved",),
    "return_shipped": ("shipped",),
    "return_arrived": ("arrived",),
    "return_checked": ("checked", "settled"),
    "return_expired": ("expired",),
    "return_cancelled": ("cancelled",),
    "return_charge_soon": ("approved", "expired", "checked"),
    "return_charged": EVER,
    "return_charge_failed": EVER,
}
MONEY: Final = ("return_refunded", "return_credited", "return_exchanged", "return_due")
KINDS: Final = frozenset({*STAGES, *MONEY})
# News of the way that the page tells too: who wants no news of the order gets none of these.
MAY_STOP: Final = frozenset({"return_shipped", "return_arrived", "return_reminder"})


def news(
    rma: Return, what: str, now: datetime, at: datetime | None = None, **facts: Any
) -> list[Work]:
    """Have it mailed that the return is `what`; the work for `plan_all`. Once for each return."""
    cause, told = f"{rma.id}:{what}", {"rma": rma.id, **facts}
    return want(rma.order, f"return_{what}", cause, told, now, at=at, expires_at=(at or now) + LIFE)


def tell(rma: Return, what: str, now: datetime) -> None:
    """The same, planned at once."""
    plan_all(news(rma, what, now))


def approved(rma: Return, now: datetime) -> list[Work]:
    """The approval's mail waits a moment for its label; with it goes the look at its end."""
    prints = rma.travels and rma.method in PRINTED
    return news(rma, "approved", now, at=now + LABEL_WITHIN if prints else now)


def label_ready(rma: Return, label_id: str, now: datetime) -> None:
    """A label is there: the approval's mail goes out with it, or, if it went without, another.

    Call it with the return's order locked.
    """
    wanted = select(Message.id).where(
        Message.order_id == rma.order_id, Message.cause == f"{rma.id}:approved"
    )
    message = Message.locked(session.scalar(wanted) or "")
    if message is None:
        return
    if message.facts.get("without_label"):
        told, cause = {"rma": rma.id, "label": label_id}, f"{label_id}:ready"
        plan_all(want(rma.order, "return_label", cause, told, now, expires_at=now + LIFE))
    elif message.state == "wanted":
        plan("send", message.id, message.shop_id, now)


def goes_without_label(message_id: str, rma_id: str) -> bool:
    """Whether the approval's mail is to go now though its label is not there; it stays so.

    Call it inside `writing()`: whoever brings the label afterwards sees that it has to be told.
    """
    message = Message.locked(message_id)
    if message is None:
        return False
    labels = labels_of(rma_id)
    if labels and not any(each.status == "done" for each in labels):
        message.facts = {**message.facts, "without_label": True}
    return bool(message.facts.get("without_label"))


def remind(rma: Return, now: datetime) -> datetime | None:
    """Tell once that an approval ends soon. When to look again; None where it does not end."""
    if rma.status != "approved" or rma.expires_at is None or rma.expires_at <= now:
        return None
    first = rma.expires_at - REMINDED_BEFORE
    if now < first:
        return first
    told = {"rma": rma.id, "ends": rma.expires_at.isoformat()}
    cause = f"{rma.id}:reminder:{rma.expires_at:%Y-%m-%d}"
    plan_all(want(rma.order, "return_reminder", cause, told, now, expires_at=rma.expires_at))
    return rma.expires_at


def tell_paid(rma: Return, row: Settlement, now: datetime, *, by_hand: bool = False) -> None:
    """A settlement is done: tell of it, of a refund over several payments once all are done."""
    if not row.amount_minor and row.kind == "refund":
        return
    group = [each for each in settlements_of(row.subject) if each.group_id == row.group_id]
    if row.kind == "refund" and not all(_is_back(each) for each in group):
        return
    _of_money(rma, TOLD_AS[row.kind], row, now, by_hand=by_hand)


def tell_due(rma: Return, row: Settlement, now: datetime) -> None:
    """A difference is to be paid before an exchange is sent: tell of it."""
    _of_money(rma, "due", row, now)


TOLD_AS: Final = {"refund": "refunded", "store_credit": "credited", "exchange": "exchanged"}


def _is_back(row: Settlement) -> bool:
    return row.kind != "refund" or not row.is_live or row.status == "done"


def _of_money(rma: Return, what: str, row: Settlement, now: datetime, **facts: Any) -> None:
    told = {"rma": rma.id, "settlement": row.id, **facts}
    cause = f"{row.key}:{what}"
    plan_all(want(rma.order, f"return_{what}", cause, told, now, expires_at=now + LIFE))


# --- what is true no more -----------------------------------------------------------------------


def over(message: Message, rma: Return | None) -> str:
    """Why a mail about a return is not sent any more; "" while what it says is true."""
    if rma is None:
        return "The return is gone."
    if message.kind in MONEY:
        row = session.get(Settlement, message.facts["settlement"])
        return "" if row is not None and HOLDS[message.kind](row) else "Its payment has changed."
    if rma.status not in STAGES[message.kind]:
        kept = message.kind == "return_approved" and rma.status == "settled" and not rma.travels
        return "" if kept else f"The return is {rma.status} now."
    say = OVER.get(message.kind)
    return say(message.facts, rma) if say else ""


def _refunded(row: Settlement) -> bool:
    group = [each for each in settlements_of(row.subject) if each.group_id == row.group_id]
    return row.is_live and row.status == "done" and all(_is_back(each) for each in group)


def _is_ordered(row: Settlement) -> bool:
    exchange = session.get(Exchange, row.exchange_id) if row.exchange_id else None
    return exchange is not None and exchange.status == "ordered"


HOLDS: Final[dict[str, Callable[[Settlement], bool]]] = {
    "return_refunded": _refunded,
    "return_credited": lambda row: row.is_live and row.status == "done",
    "return_exchanged": _is_ordered,
    "return_due": lambda row: row.is_live and row.status == "wanted",
}


def _reminder(told: Mapping[str, Any], rma: Return) -> str:
    ends = rma.expires_at.isoformat() if rma.expires_at else ""
    return "" if told["ends"] == ends else "The approval ends on another day now."


def _label(told: Mapping[str, Any], rma: Return) -> str:
    bought = [each.id for each in labels_of(rma.id) if each.status == "done"]
    return "" if told["label"] in bought else "The label is not to be used any more."


def _checked(_told: Mapping[str, Any], rma: Return) -> str:
    """Where all was accepted and its money moves with it, the mail about the money says so."""
    if not all(unit.acceptance == "accepted" for unit in rma.units) or rma.checked_at is None:
        return ""
    rows = settlements_of(rma.id)
    moved = any(row.is_live and row.created_at >= rma.checked_at for row in rows)
    return "All was accepted; the mail about its money says so." if moved else ""


def _charge_failed(told: Mapping[str, Any], _rma: Return) -> str:
    row = session.get(Instant, told["instant"])
    return "" if row is not None and row.status == "declined" else "Nothing is due any more."


OVER: Final[dict[str, Callable[[Mapping[str, Any], Return], str]]] = {
    "return_reminder": _reminder,
    "return_label": _label,
    "return_checked": _checked,
    "return_charge_failed": _charge_failed,
}
