"""Ask carriers about parcels: within what a provider bears, and with no transaction open."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from carriers.contract import CarrierError, Tracking
from carriers.pace import MATTERS
from carriers.schedule import LONGEST_WAIT
from portal import clock
from portal.db import inside, session, writing
from portal.jobs.provider import Account, account_of
from portal.jobs.queue import nudge
from portal.jobs.work import by_shop, give_back, told_to_stop
from portal.keys import Unsealable
from portal.logs import log
from portal.models import Shipment, Shop
from portal.models.asking import Asking
from portal.models.due import Lease, finish, holds
from portal.models.observe import look_again, observe
from portal.models.trouble import is_theirs

EARLY = timedelta(minutes=1)  # asking this much too early is no harm
OFF_FOR = timedelta(hours=1)  # until a provider that has no key is looked at again
LAST_CALL = timedelta(seconds=40)  # the longest answer; no question is begun with less left
NAP_S = 1.0  # the longest a worker waits for the budget; longer waits go back into the table
STORED_TOGETHER = 10
AT_ONCE = timedelta(0)


@dataclass(frozen=True)
class Question:
    """A parcel as it is asked about, read before the call and compared after it."""

    lease: Lease
    watched: str
    provider_id: str | None
    carrier: str | None
    number: str
    due: datetime | None
    order_id: str
    matters: bool

    def ask(self, account: Account) -> Tracking:
        """One call to the provider. Raises CarrierError."""
        if self.provider_id:
            return account.client.read_tracker(self.provider_id)
        return account.client.open_tracker(self.carrier, self.number)


Answer = tuple[Question, Tracking | CarrierError]


def perform(lease: Lease) -> None:
    """Ask about one parcel."""
    perform_all([lease])


def perform_all(leases: Sequence[Lease]) -> None:
    """Ask about many parcels, one call each; store the answers a few at a time."""
    for shop_id, mine in by_shop(leases).items():
        with inside(shop_id):
            _perform_in_shop(shop_id, mine)


def bury(lease: Lease, now: datetime) -> None:
    """Stop asking about a parcel that failed too often in a way of our own, and say so."""
    with inside(lease.shop_id), writing():
        shipment = Shipment.locked(lease.subject)
        if shipment is not None:
            shipment.stuck(now)
        finish(lease)


def _perform_in_shop(shop_id: int, leases: Sequence[Lease]) -> None:
    shop = session.get_one(Shop, shop_id)
    account = _account_of(shop)
    questions = _questions(leases)
    session.rollback()  # no transaction is open while we wait for the provider
    now = clock.now()
    if account is None:
        _postpone(leases, now + OFF_FOR)
        return
    asked = {question.lease.id for question in questions}
    _settle([lease for lease in leases if lease.id not in asked], questions, now)
    waiting = [one for one in questions if one.due is not None and one.due <= now + EARLY]
    while waiting:
        if told_to_stop.is_set():
            give_back(one.lease for one in waiting)
            return
        allowed, wait = _reserve(account, min(len(waiting), STORED_TOGETHER))
        if _runs_out(waiting[0].lease) or wait.total_seconds() > NAP_S:
            _postpone([one.lease for one in waiting], clock.now() + wait, account.apart())
            return
        if wait:
            time.sleep(wait.total_seconds())
            continue
        answers = _answers(account, waiting[:allowed])
        _store(account, answers)
        waiting = waiting[len(answers) :]


def _account_of(shop: Shop) -> Account | None:
    """The shop's account; a key that cannot be meant is as good as none, and doctor names it."""
    try:
        return account_of(shop)
    except (ValueError, Unsealable) as error:
        log.error("provider key unusable", shop=shop.id, kind=type(error).__name__)
        return None


def _questions(leases: Sequence[Lease]) -> list[Question]:
    now = clock.now()
    by_id = {lease.subject: lease for lease in leases}
    wanted = select(Shipment).where(Shipment.id.in_(by_id)).options(joinedload(Shipment.order))
    parcels, asking = session.scalars(wanted).all(), Asking.at_present(now)
    found = [
        Question(
            lease=by_id[parcel.id],
            watched=parcel.watched,
            provider_id=parcel.provider_id,
            carrier=parcel.asked_as,
            number=parcel.number_key,
            due=asking.due_at(parcel, now),
            matters=parcel.status in MATTERS,
            order_id=parcel.order_id,
        )
        for parcel in parcels
        if parcel.number_key
    ]
    return sorted(found, key=lambda one: (one.lease.attempts, not one.matters, one.lease.id))


def _settle(gone: Sequence[Lease], questions: Sequence[Question], now: datetime) -> None:
    """End the leases of parcels that are gone or done, move on those that are not yet due."""
    early = [one for one in questions if one.due is None or one.due > now + EARLY]
    if not gone and not early:
        return
    with writing(synchronous="NORMAL"):
        for question in sorted(early, key=lambda one: one.order_id):
            if question.due is None and (shipment := Shipment.locked(question.lease.subject)):
                look_again(shipment, now)  # it may have lapsed while nothing was heard
            finish(question.lease, again_at=question.due)
        for lease in gone:
            finish(lease)


def _reserve(account: Account, wanted: int) -> tuple[int, timedelta]:
    with writing(synchronous="NORMAL"):
        return account.reserve(wanted, clock.now())


def _runs_out(lease: Lease) -> bool:
    return clock.now() + LAST_CALL > lease.until


def _answers(account: Account, questions: Sequence[Question]) -> list[Answer]:
    """Ask one after the other, until the provider has trouble or the leases are nearly over.

    So a slow provider never costs a lease, and trouble is noted before the next question.
    """
    answers: list[Answer] = []
    for question in questions:
        if answers and (told_to_stop.is_set() or _runs_out(question.lease)):
            break
        answers.append(_answer(account, question))
        if _is_trouble(answers[-1][1]):
            break
    return answers


def _is_trouble(answer: Tracking | CarrierError) -> bool:
    """Whether an answer tells of the provider's trouble, not of the parcel."""
    return isinstance(answer, CarrierError) and is_theirs(answer)


def _answer(account: Account, question: Question) -> Answer:
    try:
        return question, question.ask(account)
    except CarrierError as error:
        return question, error


def _store(account: Account, answers: Sequence[Answer]) -> None:
    now = clock.now()
    with writing(synchronous="NORMAL"):
        _note(account, answers, now)
        asking = Asking.at_present(now)
        # In one order everywhere, so that two workers never wait for each other in a circle.
        changed = [
            _store_one(account, question, answer, asking, now)
            for question, answer in sorted(answers, key=lambda pair: pair[0].order_id)
        ]
    if any(changed):
        nudge("send")


def _note(account: Account, answers: Sequence[Answer], now: datetime) -> None:
    """What the answers tell of the provider itself."""
    if any(not _is_trouble(answer) for _, answer in answers):
        account.answered()
    for _, answer in answers:
        if isinstance(answer, CarrierError) and is_theirs(answer):
            account.failed(answer, now)


def _store_one(
    account: Account,
    question: Question,
    answer: Tracking | CarrierError,
    asking: Asking,
    now: datetime,
) -> bool:
    """Store one answer and plan the next question, if the lease is still ours."""
    lease = question.lease
    # The order first, then the row of due work: as everybody who plans a question.
    shipment = Shipment.locked(lease.subject)
    if not holds(lease):
        return False
    if shipment is None or shipment.watched != question.watched:
        # Corrected while we asked: what we learnt is another parcel's.
        finish(lease, again_at=now if shipment is not None else None)
        return False
    if isinstance(answer, Tracking):
        changed = observe(shipment, answer, "poll", now)
        finish(lease, again_at=asking.next_poll(shipment, now))
        return changed
    closed_until = account.closed_until()
    if is_theirs(answer) and closed_until is not None and closed_until > now:
        # The provider is the trouble, not the parcel: nothing of it is held against it.
        finish(lease, again_at=closed_until)
        return False
    finish(lease, again_at=shipment.refused(answer, now, asking))
    return False


def _postpone(leases: Sequence[Lease], until: datetime, apart: timedelta = AT_ONCE) -> None:
    """Ask later, one after the other; nothing is held against the parcels."""
    with writing():
        for place, lease in enumerate(leases):
            finish(lease, again_at=until + min(place * apart, LONGEST_WAIT))
