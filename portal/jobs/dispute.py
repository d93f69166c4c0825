"""Send the evidence for a dispute to the bank, through Stripe: once, whatever is lost on the way.

Our mark stays on the dispute with the evidence, so that after a lost answer the dispute is looked
at before anything is sent anew.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

from portal import clock
from portal.db import inside, session, writing
from portal.evidence.summary import draw_summary
from portal.jobs.bank import bank_of, wait
from portal.keys import Unsealable, digest
from portal.models import Dispute, Shop
from portal.models.dispute import ANSWERABLE, ASKING
from portal.models.dispute_acts import anew, evidence_of_dispute, refused, take_in
from portal.models.due import Lease, finish, holds
from portal.models.evidence import photos_of
from portal.payments.contract import DisputeFacts, Kind, PaymentError
from portal.payments.stripe import Stripe
from portal.payments.stripe_disputes import LARGEST_FILE

NO_KEY: Final = "Stripe is not set up here (STRIPE_SECRET_KEY), so that nothing can be sent by it."
SURE: Final = timedelta(minutes=1)  # for what was sent to arrive, or not at all
FINAL: Final = (Kind.REFUSED, Kind.NOT_FOUND)
LONGEST: Final = 4_500  # characters of one text


@dataclass(frozen=True, slots=True)
class Answer:
    """Evidence as it is about to be sent, read before the call."""

    lease: Lease
    id: str
    provider_id: str
    payment: str
    key: str
    file_id: str
    since: datetime


def perform(lease: Lease) -> None:
    """Send the evidence of one dispute, if it is wanted and the bank does not have it."""
    with inside(lease.shop_id):
        bank, reason = _bank(lease.shop_id)
        answer = _begin(lease, reason)
        if answer is None or bank is None:
            return
        looked_at = clock.now()
        try:
            seen = _sent(bank, answer)
        except PaymentError as error:
            _trouble(answer, error)
            return
        with writing():
            take_in(seen, looked_at, clock.now())
            if holds(lease):
                # Where the answer does not carry our mark yet, the next look tells.
                row = Dispute.locked(answer.id)
                is_told = row is None or row.evidence not in ASKING
                finish(lease, again_at=None if is_told else clock.now() + SURE)


def bury(lease: Lease, now: datetime) -> None:
    """It failed too often in a way of our own. It may have been sent: people look at it."""
    with inside(lease.shop_id), writing():
        row = Dispute.locked(lease.subject)
        if row is not None and row.evidence in ASKING:
            row.evidence = "unknown"
            row.problem = "Sending it failed several times. Look into the log for: work failed."
            row.touch(now)
        finish(lease)


def _bank(shop_id: int) -> tuple[Stripe | None, str]:
    """The client, or a sentence that says why there is none."""
    try:
        bank = bank_of(session.get_one(Shop, shop_id))
    except (ValueError, Unsealable) as error:
        return None, f"The Stripe key cannot be used: {error}"
    finally:
        session.rollback()
    return bank, "" if bank else NO_KEY


def _begin(lease: Lease, reason: str) -> Answer | None:
    """What is to be sent; None where it is not to be, which is stored."""
    with writing():
        now = clock.now()
        row = Dispute.locked(lease.subject)
        if not holds(lease):
            return None
        if row is None or row.evidence not in ASKING:
            finish(lease)
            return None
        if reason:
            is_fresh = row.evidence == "wanted"
            if is_fresh:
                refused(row, reason, now)
            row.problem = reason
            finish(lease, again_at=None if is_fresh else now + timedelta(hours=1))
            return None
        row.evidence = "performing" if row.evidence == "wanted" else row.evidence
        told = (row.id, row.provider_id, row.payment, row.key, row.file_id)
        return Answer(lease, *told, row.wanted_at or now)


def _sent(bank: Stripe, answer: Answer) -> DisputeFacts:
    """The dispute with our evidence: found so, or sent now. Raises PaymentError."""
    seen = bank.disputes.read(answer.provider_id)
    if seen.key.partition(":")[0] == answer.id:
        return _ours(seen, answer)
    if seen.status not in ANSWERABLE:
        told = f"The dispute is {seen.status.replace('_', ' ')}: the bank takes no evidence."
        raise PaymentError(Kind.REFUSED, told)
    texts, facts = _evidence(answer)
    file_id = answer.file_id or _upload(bank, answer, facts)
    has_scans = any(parcel["scans"] for parcel in facts["parcels"])
    texts["shipping_documentation" if has_scans else "uncategorized_file"] = file_id
    once = f"{answer.key}:{digest(repr(sorted(texts.items())))[:16]}"
    return _ours(bank.disputes.answer(answer.provider_id, texts, answer.key, once), answer)


def _ours(seen: DisputeFacts, answer: Answer) -> DisputeFacts:
    """With the payment named as the shop knows it."""
    return replace(seen, payment=answer.payment)


def _upload(bank: Stripe, answer: Answer, facts: dict[str, Any]) -> str:
    """Lay the summary down, and keep where: what is asked for again is not laid down again."""
    out = io.BytesIO()
    draw_summary(facts, photos_of(facts["about"]["order_id"]), out)
    session.rollback()
    if out.tell() > LARGEST_FILE:
        out = io.BytesIO()
        draw_summary(facts, (), out)
    out.seek(0)
    out.name = "evidence.pdf"
    file_id = bank.disputes.upload(out)
    with writing():
        row = Dispute.locked(answer.id)
        if row is not None:
            row.file_id = file_id
    return file_id


def _evidence(answer: Answer) -> tuple[dict[str, str], dict[str, Any]]:
    """The texts for the bank, and the facts that they are taken from."""
    row = session.get_one(Dispute, answer.id)
    facts = evidence_of_dispute(row, clock.now())
    order, parcels = facts["order"], facts["parcels"]
    session.rollback()
    articles = "; ".join(f"{line['quantity']} × {line['title']}" for line in order["lines"])
    numbers = [parcel["tracking_number"] for parcel in parcels if parcel["tracking_number"]]
    told = {
        "customer_name": order["name"],
        "customer_email_address": order["email"],
        "product_description": articles,
        "shipping_address": order["address"],
        "shipping_carrier": ", ".join(sorted({each["carrier"] for each in parcels})),
        "shipping_tracking_number": ", ".join(numbers),
        "shipping_date": next((dict(each["told"])["Sent"] for each in parcels), ""),
        "uncategorized_text": facts["about"]["words"],
    }
    return {name: text[:LONGEST] for name, text in told.items() if text}, facts


def _trouble(answer: Answer, error: PaymentError) -> None:
    with writing():
        now = clock.now()
        row = Dispute.locked(answer.id)
        if row is None or not holds(answer.lease):
            return
        if error.kind in FINAL:
            refused(row, str(error), now)
            finish(answer.lease)
            return
        if error.is_over:
            anew(row)
        elif error.kind is Kind.OUTCOME_UNKNOWN:
            row.evidence = "unknown"
        row.problem = str(error)
        row.touch(now)
        again = now + max(SURE, wait(answer.since, now, error.retry_after))
        finish(answer.lease, again_at=again)
