"""Claims in plain words: what happened, how it stands, why, and what comes next."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from portal.models.claim import Claim
from portal.models.claim_acts import appeal_ends
from portal.pages.dates import Calendar
from portal.pages.promises import decided_by
from portal.pages.speech import N_, _

KINDS: Final = {
    "lost": N_("It has not arrived"),
    "not_received": N_("It says delivered, but I do not have it"),
    "damaged": N_("It arrived damaged"),
    "missing_item": N_("Something is missing"),
    "wrong_item": N_("I got the wrong thing"),
}
WANTED: Final = {
    "reship": N_("Send it again"),
    "refund": N_("Money back"),
    "store_credit": N_("Store credit"),
}
STATUSES: Final = {
    "waiting": N_("We open it for you"),
    "open": N_("We are looking at it"),
    "needs_info": N_("We need something from you"),
    "approved": N_("Approved"),
    "declined": N_("Not accepted"),
    "paid": N_("Done"),
    "cancelled": N_("Called off"),
}
TONES: Final = {
    "waiting": "attention",
    "open": "attention",
    "needs_info": "problem",
    "declined": "problem",
    "cancelled": "attention",
    "paid": "done",
}
BECAUSE: Final = {
    "claimed_late": N_("The last day for this was %(last)s, so a person decides."),
    "signed_for": N_("Somebody signed for this parcel."),
    "evidence_missing": N_("Something is missing that we need to decide."),
    "in_dispute": N_("Your bank is looking at this payment, so a person decides."),
    "needs_a_look": N_("A person looks at this one."),
    "not_covered": N_("There is no cover on this order. Your rights by law hold all the same."),
    "above_the_cover": N_("It is worth more than its cover, so a person decides."),
}
LACKS: Final = {
    "photos": N_("photos of the goods, the box and its label"),
    "police_report": N_("the number of a police report"),
}


def because(decision: Mapping[str, Any] | None, calendar: Calendar) -> str:
    """Why it was not paid at once; "" where it was, or is not decided."""
    words = BECAUSE.get(decision["because"]) if decision else None
    if decision is None or words is None:
        return ""
    last = decision["values"].get("last_day")
    day = calendar.long(date.fromisoformat(last)) if last else ""
    return _(words, last=day)


def next_sentence(claim: Claim, calendar: Calendar) -> str:
    """What comes next, with its day."""
    if claim.status == "waiting":
        return _(
            "Parcels often turn up until then. On %(day)s we decide by ourselves; you need do "
            "nothing more.",
            day=calendar.long(claim.opens_on),
        )
    if claim.status == "open":
        since = claim.appealed_at or claim.asked_at
        day = decided_by(calendar.local(since).date())
        return _("A person looks at it and answers by %(day)s.", day=calendar.long(day))
    if claim.status == "declined":
        ends = appeal_ends(claim)
        day_ = calendar.long(calendar.local(ends).date()) if ends else ""
        return _("You can have it looked at again until %(day)s.", day=day_)
    return _(SENTENCES.get(claim.status, ""))


SENTENCES: Final = {
    "needs_info": N_("Add it below and we go on at once."),
    "approved": N_("What you asked for is on its way."),
    "paid": N_("It is done. We are sorry for the trouble."),
    "cancelled": N_("Nothing more happens."),
}
