"""What the page of a return shows: the next step and its day, the way back, every article."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any, Final

import segno
from markupsafe import Markup

from portal.models import Return, ReturnLine
from portal.pages.dates import Calendar
from portal.pages.policy_words import RESOLUTIONS, because, reason_words
from portal.pages.promises import BACK_IN, CHECKED_IN, decided_by
from portal.pages.rma_money import way_of
from portal.pages.speech import N_, _

STEPS: Final = ("requested", "approved", "shipped", "arrived", "checked", "settled")
TRAVELLED: Final = ("shipped", "arrived", "checked")
TONES: Final = {
    "requested": "attention",
    "declined": "problem",
    "expired": "problem",
    "cancelled": "attention",
    "settled": "done",
}
LABELS: Final = {
    "requested": N_("Asked"),
    "approved": N_("Approved"),
    "shipped": N_("On its way"),
    "arrived": N_("Here"),
    "checked": N_("Checked"),
    "settled": N_("Done"),
}
SENTENCES: Final = {
    "approved": N_("It is approved."),
    "checked": N_("We have looked at it. Your money comes next."),
    "settled": N_("Everything is done. Thank you for telling us what did not fit."),
    "cancelled": N_("It was called off. Nothing more happens."),
    "expired": N_("Nothing was sent in time. Start it anew while the return window is open."),
}
HOW: Final = {
    "label": (
        N_("Print the label and stick it on. Take off older labels."),
        N_("Bring it to any counter of the carrier, and keep the receipt."),
    ),
    "qr": (
        N_("Bring it to a drop-off point. Turn your screen bright and show the code."),
        N_("They print the label for you. Keep the receipt."),
    ),
    "own_label": (
        N_("Send it with a carrier of your choice, with tracking."),
        N_("Tell us carrier and number below, so that we can follow it."),
    ),
    "in_store": (N_("Bring it to our shop and show the number. No printer needed."),),
    "pickup": (N_("Have it ready at the door. The carrier brings the label."),),
}


def next_sentence(rma: Return, calendar: Calendar) -> str:
    """What comes next, with its day."""
    if rma.status == "declined":
        return rma.note or _reason(rma.lines[0], calendar)
    say = DATED.get(rma.status)
    return (say(rma, calendar) if say else "") or _(SENTENCES[rma.status])


def _requested(rma: Return, calendar: Calendar) -> str:
    day = decided_by(calendar.local(rma.requested_at).date())
    return _("A person looks at it and answers by %(day)s.", day=calendar.long(day))


def _approved(rma: Return, calendar: Calendar) -> str:
    if not rma.travels:
        return _("You need not send anything back. Your money is on its way.")
    if rma.expires_at is None:
        return ""
    day = calendar.long(calendar.local(rma.expires_at).date())
    return _("Send it off by %(day)s. Then the approval ends.", day=day)


def _shipped(rma: Return, calendar: Calendar) -> str:
    day = _days(rma, calendar)["arrived"]
    return _("The carrier has it. It should be here by %(day)s.", day=calendar.long(day))


def _arrived(rma: Return, calendar: Calendar) -> str:
    day = _days(rma, calendar)["checked"]
    return _("It is here. We look at it by %(day)s.", day=calendar.long(day))


DATED: Final[dict[str, Callable[[Return, Calendar], str]]] = {
    "requested": _requested,
    "approved": _approved,
    "shipped": _shipped,
    "arrived": _arrived,
}


def steps(rma: Return, calendar: Calendar) -> list[dict[str, str]]:
    """The stations on the way, done ones with their day, open ones with the promised one.

    Empty where the way ended early.
    """
    if rma.status not in STEPS:
        return []
    times = {
        "requested": rma.requested_at,
        "approved": rma.decided_at,
        "shipped": rma.shipped_at,
        "arrived": rma.arrived_at,
        "checked": rma.checked_at,
        "settled": rma.settled_at,
    }
    names = [step for step in STEPS if rma.travels or step not in TRAVELLED]
    here = names.index(rma.status) if rma.status in names else len(names) - 1
    promised = _days(rma, calendar)
    return [
        {
            "label": _(LABELS[step]),
            "state": "past" if n < here else "now" if n == here else "next",
            "at": _day(times[step], calendar) if n <= here else _by(promised.get(step), calendar),
        }
        for n, step in enumerate(names)
    ]


def _days(rma: Return, calendar: Calendar) -> dict[str, date]:
    """The days promised for what is still to come; none before somebody has sent it."""
    today = calendar.today
    if rma.status == "requested":
        return {"approved": decided_by(calendar.local(rma.requested_at).date())}
    if rma.status == "approved" and rma.travels:
        return {}
    way = way_of(rma, calendar)
    arrived = way.arrived or max((way.sent or today) + timedelta(days=BACK_IN), today)
    checked = way.checked or max(arrived + timedelta(days=CHECKED_IN), today)
    lines = rma.approved_lines
    done = max((way.money_by(line.moves_at(), today) for line in lines), default=today)
    return {"arrived": arrived, "checked": checked, "settled": done}


def _by(day: date | None, calendar: Calendar) -> str:
    return _("by %(day)s", day=calendar.short(day)) if day else ""


def _day(at: datetime | None, calendar: Calendar) -> str:
    return calendar.short(calendar.local(at).date()) if at else ""


def line_shown(line: ReturnLine, calendar: Calendar) -> dict[str, Any]:
    """One article with what was asked and what came of it."""
    declined = line.outcome == "decline"
    return {
        "title": line.title or line.sku,
        "variant": line.variant,
        "quantity": line.quantity,
        "reason": reason_words(line.reason, line.detail),
        "resolution": _("cannot go back")
        if declined
        else _(RESOLUTIONS.get(line.resolution, line.resolution)),
        "because": _reason(line, calendar) if declined else "",
        "accepted": sum(unit.acceptance == "accepted" for unit in line.units),
        "missing": sum(unit.reception == "not_in_parcel" for unit in line.units),
        "rejected": [unit.note for unit in line.units if unit.acceptance == "rejected"],
    }


def _reason(line: ReturnLine, calendar: Calendar) -> str:
    receipt = line.decision
    return because(receipt["because"], receipt.get("values", {}), calendar)


def how_to(rma: Return) -> list[str]:
    """What to do with the parcel, one sentence a step."""
    return [_(sentence) for sentence in HOW.get(rma.method, ())]


def qr(number: str) -> Markup:
    """The return's number as a code that a scanner reads."""
    code = segno.make_qr(number, error="m")
    drawn = code.svg_inline(scale=6, border=1, omitsize=True, svgclass=None, lineclass=None)
    return Markup(drawn)  # noqa: S704 - drawn from squares alone; no text of ours is in it


def masked(email: str) -> str:
    """An address as its owner knows it and nobody else learns it: "a•••@example.com"."""
    name, at, host = email.partition("@")
    return f"{name[:1]}•••{at}{host}" if at else ""
