"""Decisions about returns in plain words: reasons, ways, resolutions, and why a rule spoke so.

Codes come out of `returns/`; here alone they become sentences.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final

from portal.pages.dates import Calendar
from portal.pages.speech import N_, _

REASONS: Final = {
    "too_small": N_("Too small"),
    "too_large": N_("Too large"),
    "style": N_("I do not like how it looks"),
    "faulty": N_("It is broken or does not work"),
    "wrong_item": N_("I got something else"),
    "missing_item": N_("Something is missing"),
    "arrived_late": N_("It came too late"),
    "changed_mind": N_("I changed my mind"),
    "other": N_("Something else"),
}
DETAILS: Final = {
    "colour": N_("The colour"),
    "material": N_("The material"),
    "unlike_photo": N_("It does not look like the picture"),
    "arrived_broken": N_("It arrived broken"),
    "stopped_working": N_("It stopped working"),
    "missing_part": N_("A part is missing"),
    "no_longer_needed": N_("I no longer need it"),
    "found_cheaper": N_("I found it cheaper"),
    "ordered_several": N_("I ordered several to choose from"),
    "by_mistake": N_("I ordered it by mistake"),
    "gift": N_("It was a gift"),
}
RESOLUTIONS: Final = {
    "refund": N_("Refund"),
    "store_credit": N_("Store credit"),
    "exchange": N_("Exchange"),
    "keep": N_("Keep it"),
}
METHODS: Final = {
    "label": N_("Print a label"),
    "qr": N_("Show a code at a drop-off point"),
    "own_label": N_("Send it with your own label"),
    "in_store": N_("Bring it to the shop"),
    "pickup": N_("Have it picked up"),
}
# The same within the sentences of a rule.
FOR_REASONS: Final = {
    "too_small": N_("something too small"),
    "too_large": N_("something too large"),
    "style": N_("something you do not like"),
    "faulty": N_("something broken"),
    "wrong_item": N_("a wrong item"),
    "missing_item": N_("a missing item"),
    "arrived_late": N_("something that came too late"),
    "changed_mind": N_("a change of mind"),
    "other": N_("another reason"),
    "colour": N_("another colour than you like"),
    "material": N_("another material than you like"),
    "unlike_photo": N_("something unlike its picture"),
    "arrived_broken": N_("something that arrived broken"),
    "stopped_working": N_("something that stopped working"),
    "missing_part": N_("a missing part"),
    "no_longer_needed": N_("something you no longer need"),
    "found_cheaper": N_("something you found cheaper"),
    "ordered_several": N_("several ordered to choose from"),
    "by_mistake": N_("something ordered by mistake"),
    "gift": N_("a gift"),
}
TO_RESOLUTIONS: Final = {
    "refund": N_("a refund"),
    "store_credit": N_("store credit"),
    "exchange": N_("an exchange"),
    "keep": N_("keeping it"),
}
BY_METHODS: Final = {
    "label": N_("a label to print"),
    "qr": N_("a code for a drop-off point"),
    "own_label": N_("your own label"),
    "in_store": N_("bringing it to the shop"),
    "pickup": N_("having it picked up"),
}
STATUSES: Final = {
    "requested": N_("We are looking at it"),
    "approved": N_("Approved"),
    "declined": N_("Declined"),
    "shipped": N_("On its way to us"),
    "arrived": N_("Arrived at our place"),
    "checked": N_("Checked"),
    "settled": N_("Done"),
    "cancelled": N_("Cancelled"),
    "expired": N_("Expired"),
}
ANCHORS: Final = {
    "delivery": N_("delivery on %(day)s"),
    "shipment": N_("dispatch on %(day)s"),
    "order": N_("your order on %(day)s"),
}


def reason_words(reason: str, detail: str | None = None) -> str:
    """A reason, with its detail where there is one."""
    said = _(REASONS.get(reason, reason))
    return f"{said}: {_(DETAILS[detail])}" if detail in DETAILS else said


def because(code: str, values: Mapping[str, Any], calendar: Calendar) -> str:
    """Why a decision is as it is, in one sentence to the customer.

    `code` and `values` are the deciding verdict's. A code of the shop's own is shown as it is.
    """
    say = SENTENCES.get(code)
    if say is not None:
        return say(values, calendar)
    return code if " " in code else code.replace("_", " ").capitalize() + "."


def counted_from(values: Mapping[str, Any], calendar: Calendar) -> str:
    """From which event and day a window was counted: "delivery on 3 April"."""
    anchor = ANCHORS[values["counted_from"]]
    return _(anchor, day=calendar.long(_day(values["counted_on"])))


def _day(value: date | str) -> date:
    return date.fromisoformat(value) if isinstance(value, str) else value


def _closed(values: Mapping[str, Any], calendar: Calendar) -> str:
    return _(
        "The return window closed on %(last)s, %(days)d days counted from %(event)s.",
        last=calendar.long(_day(values["last_day"])),
        days=values["days"],
        event=counted_from(values, calendar),
    )


def _open(values: Mapping[str, Any], calendar: Calendar) -> str:
    return _(
        "It can go back until %(last)s, counted from %(event)s.",
        last=calendar.long(_day(values["last_day"])),
        event=counted_from(values, calendar),
    )


def _final_sale(values: Mapping[str, Any], _calendar: Calendar) -> str:
    if values.get("unless_reasons"):
        return _("It was a final sale. Is it broken or the wrong thing? Then tell us.")
    return _("It was a final sale, so it cannot come back.")


def _fixed(text: str) -> Callable[[Mapping[str, Any], Calendar], str]:
    return lambda _values, _calendar: _(text)


SENTENCES: Final[dict[str, Callable[[Mapping[str, Any], Calendar], str]]] = {
    "window_closed": _closed,
    "window_open": _open,
    "final_sale": _final_sale,
    "not_delivered_yet": _fixed(N_("It has not been delivered yet. It can go back once it is.")),
    "needs_a_look": _fixed(N_("We look at this one ourselves and write to you.")),
    "not_returnable": _fixed(N_("This kind of thing cannot come back.")),
    "within_the_rules": _fixed(N_("It is within our return rules.")),
    "otherwise": _fixed(N_("We look at this one ourselves and write to you.")),
    "photo_missing": _fixed(N_("Add a photo, so that we can decide at once.")),
    "text_missing": _fixed(N_("Tell us what happened, so that we can decide at once.")),
    "resolution_not_offered": _fixed(N_("We do not offer this here. Choose another way out.")),
    "method_not_offered": _fixed(N_("It cannot be sent back this way. Choose another one.")),
    "waived_for_reason": _fixed(N_("No fee, because it is not your doing.")),
    "free_for_reason": _fixed(N_("We pay for the way back, because it is not your doing.")),
}
