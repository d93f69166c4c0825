"""Send what the outbox wants: at least once, under one Message-ID, and nothing that is over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, tzinfo
from email.utils import parseaddr
from typing import Any

from flask_babel import force_locale
from sqlalchemy import select

from carriers.names import canonical
from portal import clock
from portal.channels import ChannelError, email
from portal.config import DEMO_MAIL
from portal.db import inside, session, writing
from portal.format import money
from portal.jobs import claim_mail, law_mail, return_mail
from portal.jobs.work import FIRST_WAIT, LONGEST_WAIT, wait_after
from portal.keys import Unsealable, seal, settings, unseal
from portal.mail import Facts, Item, Letter, reading, render
from portal.models import Link, Message, Order, Picture, Return, Shop, claim_news, rma_news
from portal.models.due import Lease, finish, holds
from portal.models.outbox import address_key, wants
from portal.pages.brand import theme_of
from portal.pages.dates import zone

OFF_FOR = timedelta(minutes=1)  # until mail that is not set up is looked at again
MOST_DOUBTS = 3  # times a mail whose outcome is unknown is sent, always the same one
NOT_SET_UP = "Mail is not set up: SMTP_URL is not set."
TOO_LATE = "It could not be sent in time."
DOTS = "••••••"
ANSWERS = ("code", "question", *law_mail.KINDS)  # to what the reader began; not to be stopped


@dataclass(frozen=True, slots=True)
class Ready:
    """A message on its way out, read and written before the call."""

    mail: email.Mail
    letter: Letter
    code: str

    @property
    def kept(self) -> Letter:
        """What the outbox keeps: without the code, which only the demo's reader finds there."""
        if not self.code or settings().smtp_url == DEMO_MAIL:
            return self.letter
        return Letter(*(part.replace(self.code, DOTS) for part in self.letter))


def perform(lease: Lease) -> None:
    """Send one message, or say why it is not sent."""
    now = clock.now()
    with inside(lease.shop_id):
        message = session.get(Message, lease.subject)
        if message is None or message.state != "wanted":
            _end(lease)
        elif message.expires_at is not None and message.expires_at <= now:
            _end(lease, "dead", f"{TOO_LATE} {message.error}".strip())
        elif why := _is_over(message):
            _end(lease, "superseded", why)
        elif not _is_welcome(message):
            _end(lease, "stopped")
        elif not settings().smtp_url:
            _wait(lease, OFF_FOR, NOT_SET_UP)
        else:
            _send(lease, message)


def bury(lease: Lease, now: datetime) -> None:
    """A message that failed too often in a way of our own is dead; the log says more."""
    with inside(lease.shop_id):
        _end(lease, "dead", "It could not be made. Look into the log for: work failed.")


def _is_welcome(message: Message) -> bool:
    """Whether its reader still wants it. What they have asked for themselves they always do."""
    if message.kind in ANSWERS or message.order_id is None:
        return True
    if message.kind in claim_news.KINDS:
        return _is_own(message)
    if message.kind in rma_news.KINDS:
        stopped = message.kind in rma_news.MAY_STOP and not wants(
            message.order_id, message.recipient
        )
        return _is_own(message) and not stopped
    return wants(message.order_id, message.recipient, message.kind)


def _is_over(message: Message) -> str:
    """Why what a message tells of its return or claim is true no more; "" while it is true."""
    if message.kind in claim_news.KINDS:
        return claim_news.over(message)
    if message.kind not in rma_news.KINDS:
        return ""
    return rma_news.over(message, Return.read(message.facts["rma"]))


def _is_own(message: Message) -> bool:
    own = session.scalar(select(Order.email).where(Order.id == message.order_id))
    return address_key(message.recipient) == address_key(own or "")


def _send(lease: Lease, message: Message) -> None:
    age = clock.now() - message.created_at
    if message.kind == "return_approved":
        message = _with_or_without_label(message)
    try:
        message = _with_link(message)
        ready = _ready(message)
    except Unsealable:
        _end(lease, "dead", "Its code or its link was sealed with a key that is no longer set.")
        return
    session.rollback()  # no transaction is open while we talk to the mail server
    try:
        reference = email.send(ready.mail, settings().smtp_url, settings().mail_from)
    except ChannelError as error:
        _failed(lease, error, age)
        return
    _sent(lease, ready.kept, reference)


def _with_or_without_label(message: Message) -> Message:
    """An approval goes now; where its label is not there yet, that is kept: it follows."""
    rma_id, message_id = message.facts["rma"], message.id
    with writing():
        rma_news.goes_without_label(message_id, rma_id)
    return session.get_one(Message, message_id)


def _with_link(message: Message) -> Message:
    """The mail leads to the order's page: its link is made now if a command left it for later."""
    order_id, message_id = message.order_id, message.id
    if not order_id or Link.of(order_id):
        return message
    with writing():
        Link.make_up([order_id])
    return session.get_one(Message, message_id)


# --- what is sent -------------------------------------------------------------------------------


def _ready(message: Message) -> Ready:
    """The mail of a message. Raises Unsealable."""
    shop = session.get_one(Shop, message.shop_id)
    code = unseal(message.sealed) if message.sealed else ""
    stop = f"{shop.origin}/u/{message.stop_token}" if _may_stop(message.kind) else ""
    locale = message.locale or shop.locale
    if message.kind in rma_news.KINDS:
        facts = _return_facts(message, shop, locale, stop)
    elif message.kind in claim_news.KINDS:
        facts = claim_mail.facts_of(message, shop, locale)
    elif message.kind in law_mail.KINDS:
        facts = law_mail.facts_of(message, shop, locale)
    else:
        facts = _facts(message, shop, code, stop, locale)
    letter = render(message.kind, facts, shop, theme_of(shop.theme), locale)
    mail = email.Mail(
        to=message.recipient,
        subject=letter.subject,
        text=letter.text,
        html=letter.html,
        message_id=f"{message.id}@{parseaddr(settings().mail_from)[1].rpartition('@')[2]}",
        name=shop.name,
        reply_to=shop.support_email,
        list_unsubscribe=stop,
    )
    return Ready(mail, letter, code)


def _facts(message: Message, shop: Shop, code: str, stop: str, locale: str) -> Facts:
    told = message.facts
    facts = {"number": told.get("number", ""), "purpose": told.get("purpose", ""), "code": code}
    facts["question"] = told.get("question", "")
    order = session.get(Order, message.order_id) if message.order_id else None
    if order is None or message.kind == "code":
        return Facts(**facts)
    token = Link.of(order.id)
    link = f"{shop.origin}/t/{token}" if token else ""
    is_own = address_key(message.recipient) == address_key(order.email)
    named = canonical(told.get("carrier", ""))
    at = datetime.fromisoformat(told["at"]) if told.get("at") else None
    first, last = _window(told, zone(order.timezone, shop.timezone))
    return Facts(
        **facts,
        link=f"{link}/claim?kind=lost" if link and message.kind == "presumed_lost" else link,
        # Wishes behind the order's link are those of its own address; others can only stop.
        choose=f"{link}/updates" if link and is_own else stop,
        carrier=named.name if named else told.get("carrier", ""),
        status=told.get("status", ""),
        at=at.astimezone(zone(order.timezone, shop.timezone)) if at else None,
        eta=last,
        eta_from=first,
        first_eta=_day(told.get("first_eta")),
        items=_pictured(_items(told.get("items", [])), shop.origin),
        cover=money(order.cover_minor, order.currency, locale) if order.cover_minor else "",
    )


def _may_stop(kind: str) -> bool:
    """Whether it is news, and not the answer to what its reader began."""
    if kind in claim_news.KINDS:
        return False
    return kind not in ANSWERS and (kind not in rma_news.KINDS or kind in rma_news.MAY_STOP)


def _return_facts(message: Message, shop: Shop, locale: str, stop: str) -> Facts:
    """What a mail about a return tells, as the return is now. Raises Unsealable."""
    rma = Return.read(message.facts["rma"])
    if rma is None:
        raise LookupError(f"There is no return {message.facts['rma']}.")
    language, dates = reading(locale)
    here = return_mail.Telling(rma, shop, message.facts, dates, clock.now())
    own = Link.of(rma.order_id) if stop else ""
    with force_locale(language):
        found = list(return_mail.items_of(message.kind, here))
        return Facts(
            message.facts.get("number", ""),
            link=return_mail.link_of(message.kind, here),
            choose=f"{shop.origin}/t/{own}/updates" if own else stop,
            items=_pictured(found, shop.origin),
            rma=return_mail.facts_of(message.kind, here),
        )


def _pictured(found: Sequence[tuple[Item, str]], origin: str) -> tuple[Item, ...]:
    """The articles with our own pictures of them, where we have one."""
    kept = Picture.kept(url for _, url in found)
    return tuple(
        replace(item, picture=f"{origin}/media/{kept[url]}") if url in kept else item
        for item, url in found
    )


def _items(told: list[dict[str, Any]]) -> list[tuple[Item, str]]:
    return [
        (Item(item["title"], item["variant"], item["quantity"]), item["image_url"]) for item in told
    ]


def _window(told: dict[str, Any], there: tzinfo) -> tuple[date | None, date | None]:
    """The arrival as its page shows it today: none earlier than that, and none that is over."""
    today = clock.now().astimezone(there).date()
    first, last = _day(told.get("eta_from")), _day(told.get("eta"))
    if last is None or last < today:
        return None, None
    return max(first or last, today), last


def _day(told: str | None) -> date | None:
    return date.fromisoformat(told) if told else None


# --- what came of it ----------------------------------------------------------------------------


def _sent(lease: Lease, kept: Letter, reference: str) -> None:
    text, html = seal(kept.text), seal(kept.html)
    with writing():
        message = _mine(lease)
        if message is None:
            return
        # Even if it was dropped meanwhile: it has gone out, and that is what is told.
        message.state, message.sent_at = "sent", clock.now()
        message.reference, message.error, message.sealed = reference, "", ""
        message.subject, message.text, message.html = kept.subject[:300], text, html
        finish(lease)


def _failed(lease: Lease, error: ChannelError, age: timedelta) -> None:
    if error.permanent:
        _end(lease, "dead", str(error))
    elif not error.outcome_unknown:
        # Each wait is as long as all before it: 15 s, 30 s, a minute, up to an hour.
        _wait(lease, min(LONGEST_WAIT, max(FIRST_WAIT, age)), str(error))
    elif lease.attempts < MOST_DOUBTS:
        _wait(lease, wait_after(lease.attempts), str(error), counted=True)
    else:
        _end(lease, "dead", f"{error} Tried {lease.attempts} times; it is not sent again.")


def _wait(lease: Lease, wait: timedelta, why: str, *, counted: bool = False) -> None:
    """Try again after `wait`, at the latest when its time is over; `counted` attempts are few."""
    with writing():
        message = _mine(lease)
        if message is None:
            return
        again_at = clock.now() + wait
        if message.expires_at is not None:
            again_at = min(again_at, max(message.expires_at, clock.now()))
        message.error = why
        finish(lease, again_at=again_at, failed=counted)


def _end(lease: Lease, state: str = "", why: str = "") -> None:
    """End the work, and the message with it where it still waits."""
    with writing():
        message = _mine(lease)
        if message is not None and state and message.state == "wanted":
            message.state, message.error, message.sealed = state, why, ""
        if message is not None or holds(lease):
            finish(lease)


def _mine(lease: Lease) -> Message | None:
    """The message, locked, while the lease on it is ours.

    The message first: whoever plans it locks in this order too.
    """
    message = Message.locked(lease.subject)
    return message if holds(lease) else None
