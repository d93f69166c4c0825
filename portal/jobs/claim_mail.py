"""What a mail about a claim tells, read at the moment it is sent."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from flask_babel import force_locale

from portal import clock
from portal.format import money
from portal.mail import ClaimFacts, Facts, Item, plain, reading
from portal.models import Claim, Message, Shop
from portal.models.claim_acts import appeal_ends
from portal.models.claim_facts import Day
from portal.pages.claim_words import LACKS, WANTED, because
from portal.pages.dates import Calendar
from portal.pages.promises import decided_by
from portal.pages.speech import _


def facts_of(message: Message, shop: Shop, locale: str) -> Facts:
    """The mail's facts in its reader's language. Raises Unsealable."""
    claim = Claim.read(message.facts["claim"])
    if claim is None:
        raise LookupError(f"There is no claim {message.facts['claim']}.")
    language, dates = reading(locale)
    with force_locale(language):
        calendar = Calendar.at(clock.now(), dates, str(Day.of(claim.order).zone))
        counts = Counter((unit.title or unit.sku, unit.variant) for unit in claim.units)
        return Facts(
            message.facts.get("number", ""),
            link=f"{shop.origin}/c/{claim.token}",
            items=tuple(
                Item(plain(title), plain(variant), count)
                for (title, variant), count in counts.items()
            ),
            claim=ClaimFacts(
                plain(claim.number),
                day=_day(claim, calendar),
                reason=plain(_reason(claim, calendar)),
                amount=_amount(claim, dates),
                wanted=_(WANTED[claim.wanted]),
            ),
        )


def _day(claim: Claim, calendar: Calendar) -> str:
    """The day that matters now: it opens, a person answers, the days for an appeal end."""

    def local(at: datetime) -> str:
        return calendar.long(calendar.local(at).date())

    if claim.status == "waiting":
        return calendar.long(claim.opens_on)
    if claim.status == "open":
        since = claim.appealed_at or claim.asked_at
        return calendar.long(decided_by(calendar.local(since).date()))
    ends = appeal_ends(claim)
    return local(ends) if ends else ""


def _reason(claim: Claim, calendar: Calendar) -> str:
    if claim.status in ("needs_info", "declined") and claim.note:
        return claim.note
    if claim.status == "needs_info":
        verdicts = (claim.decision or {}).get("verdicts", [])
        evidence: dict[str, bool] = {}
        for verdict in verdicts:
            if verdict["rule"] == "evidence":
                evidence = verdict["values"]
        named = [_(LACKS[name]) for name in LACKS if evidence.get(name)]
        return _("With this we can decide at once: %(what)s.", what=", ".join(named))
    return "" if claim.decided_by else because(claim.decision, calendar)


def _amount(claim: Claim, locale: str) -> str:
    """What is paid; nothing for a new parcel, and nothing that would tell a gift's price."""
    if claim.wanted == "reship" or claim.order.gift or not claim.payout_minor:
        return ""
    return money(claim.payout_minor, claim.currency, locale)
