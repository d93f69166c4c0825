"""What each state of a parcel's page says, word for word, as its reader meets it."""

from __future__ import annotations

import pytest
from flask import Flask
from flask_babel import force_locale

from portal.pages.present import TrackingPage, present
from portal.pages.state import State
from portal.pages.words import words
from tests.pages.samples import NOW, STATES, sample

# From the top: the state, when it arrives, the date it was, why, and what to do about it.
SAID = {
    "placed": (
        "Order placed",
        "Not shipped yet",
        "The arrival date appears here once it is on its way.",
    ),
    "packed": (
        "Packed",
        "Arrival date not known yet",
        "It is packed. UPS has not scanned it yet, which is normal for up to one working day.",
    ),
    "unknown": (
        "Waiting for UPS",
        "Arrival date not known yet",
        "UPS has told us nothing about it yet, which is normal on the first day.",
    ),
    "moving": (
        "On its way",
        "Arriving Thursday 26 to Friday 27 November",
        "It is travelling with UPS.",
    ),
    "moving_without_date": (
        "On its way",
        "Arrival date not known yet",
        "It is travelling with UPS.",
    ),
    "near": (
        "At your local depot",
        "Arriving Tomorrow",
        "Thursday 26 November",
        "It has reached the depot near you.",
    ),
    "out_for_delivery": (
        "Out for delivery",
        "Arriving Today",
        "Wednesday 25 November",
        "It is in the van and comes to you today.",
    ),
    "pickup": (
        "Ready for pickup",
        "By Saturday 28 November",
        "It is waiting for you at the pickup point.",
        "Bring an ID or the pickup code.",
        "The address and opening hours are on UPS's page.",
        "See it at UPS",
    ),
    "delivered": (
        "Delivered",
        "Delivered Wednesday 25 November at 9:35\u202fam",
        "In Austin, Texas, against a signature.",
    ),
    "late": (
        "Running late",
        "Arriving Monday 30 November",
        "was Tuesday 24 November",
        "It is taking longer with UPS than planned.",
        "Nothing for you to do.",
        "It is still coming. Rather not wait?",
        "Write to us",
    ),
    "overdue": (
        "Running late",
        "New date not known yet",
        "was Tuesday 24 November",
        "It is taking longer with UPS than planned.",
        "Nothing for you to do.",
        "It is still coming. Rather not wait?",
        "Write to us",
    ),
    "quiet": (
        "No news for a while",
        "Arriving Thursday 26 to Friday 27 November",
        "UPS has not scanned it since Sunday 22 November.",
        "Nothing for you to do.",
        "Most parcels move again within two days. We check again on Thursday 26 November.",
    ),
    "weather": (
        "Held up by weather",
        "Arriving Friday 27 November",
        "was Tuesday 24 November",
        "Bad weather is holding it up on the way.",
        "Nothing for you to do.",
        "It moves on as soon as the roads are open. Rather not wait?",
        "Write to us",
    ),
    "address": (
        "Needs your help",
        "New date not known yet",
        "was Friday 27 November",
        "UPS cannot find the address on the parcel.",
        "Please check the address.",
        "Send us the right one today and we pass it on.",
        "Write to us",
    ),
    "customs": (
        "At customs",
        "Arriving Thursday 26 to Friday 27 November",
        "Customs is looking at it. This can take a few days.",
        "Is there something to pay?",
        "If so, UPS says how much and where on its page.",
        "See it at UPS",
    ),
    "information": (
        "Needs your help",
        "New date not known yet",
        "was Friday 27 November",
        "UPS is waiting for information before it can go on.",
        "Please see what is missing.",
        "UPS names it on its page.",
        "See it at UPS",
    ),
    "damaged": (
        "Damaged on the way",
        "New date not known yet",
        "was Friday 27 November",
        "UPS reports that the parcel was damaged.",
        "We make this right.",
        "You choose: a replacement or your money back.",
        "Write to us",
    ),
    "held": (
        "Held by the carrier",
        "New date not known yet",
        "was Friday 27 November",
        "UPS is keeping it at a depot for now.",
        "You may be able to release it.",
        "UPS gives the reason and the next step on its page.",
        "See it at UPS",
    ),
    "refused": (
        "Not accepted",
        "New date not known yet",
        "was Friday 27 November",
        "The parcel was turned away at the door.",
        "Was that a mistake?",
        "Tell us today, before it starts its way back.",
        "Write to us",
    ),
    "missorted": (
        "Took a wrong turn",
        "Arriving Thursday 26 to Friday 27 November",
        "It went to the wrong depot. UPS is sending it on.",
        "Nothing for you to do.",
        "This usually costs a day or two.",
    ),
    "problem": (
        "Held up",
        "Arriving Thursday 26 to Friday 27 November",
        "UPS reports a problem on the way and gives no reason.",
        "Nothing for you to do.",
        "We keep asking. Rather not wait?",
        "Write to us",
    ),
    "attempt_failed": (
        "Delivery tried",
        "Arriving Tomorrow",
        "Thursday 26 November",
        "UPS came by and could not hand it over.",
        "Choose a day or a place that suits you.",
        "Only UPS can change the delivery. Otherwise it tries again by itself.",
        "See it at UPS",
    ),
    "lost": (
        "Probably lost",
        "Last seen Tuesday 10 November",
        "UPS has not scanned it for so long that we no longer expect it.",
        "You do not have to wait any longer.",
        "You choose: a replacement or your money back.",
        "Tell us what you would like instead",
    ),
    "returning": (
        "Coming back to us",
        "Turned back Wednesday 25 November",
        "UPS could not deliver it and is bringing it back.",
        "Still want it?",
        "We send it out again or give your money back, as you like.",
        "Write to us",
    ),
    "returned": (
        "Back with us",
        "Back since Wednesday 25 November",
        "The parcel came back to us undelivered.",
        "What should we do with it?",
        "We send it out again or give your money back, as you like.",
        "Write to us",
    ),
    "cancelled": (
        "Cancelled",
        "This order was cancelled",
        "It will not be delivered.",
    ),
    "expired": (
        "No longer tracked",
        "Last seen Sunday 1 November",
        "UPS keeps no further news about this parcel.",
        "Did it not arrive?",
        "Tell us and we look into it.",
        "Tell us what you would like instead",
    ),
    "feed_down": (
        "On its way",
        "Arriving Thursday 26 to Friday 27 November",
        "It is travelling with UPS.",
        "UPS's updates are not reaching us right now.",
        "Last answer: Tue 24 at 10:10\u202fpm. We keep asking.",
    ),
    "zoneless": (
        "On its way",
        "Arriving Thursday 26 to Friday 27 November",
        "It is travelling with UPS.",
    ),
    "split": (
        "2 of 3 parcels delivered",
        "Next parcel: Today",
        "Wednesday 25 November",
        "That is the parcel that needs you or comes next. Each has its own card below.",
    ),
    "partly_sent": (
        "On its way",
        "Arriving Thursday 26 to Friday 27 November",
        "It is travelling with UPS.",
    ),
}


def said(page: TrackingPage) -> tuple[str, ...]:
    """The texts of the first screen and the alerts beneath it; what is not said is left out."""
    hero = page.hero
    texts = [hero.word, hero.text, hero.aside, hero.was, hero.why]
    for alert in (alert for parcel in page.parcels for alert in parcel.alerts):
        texts += [alert.lead, alert.text, alert.action.label if alert.action else ""]
    return tuple(text for text in texts if text)


@pytest.mark.parametrize("state", STATES)
def test_a_state_says_exactly_this(state: str) -> None:
    assert said(present(*sample("fern", state), NOW, "en")) == SAID[state]


def test_a_text_follows_the_language_that_holds_where_it_is_said(app: Flask) -> None:
    with app.test_request_context("/", base_url="http://fern.localhost:8000"):
        english, german, again = (_said_in(locale) for locale in ("en", "de", "en"))
    assert english == again == words(State.PACKED, "UPS").word == "Packed"
    assert german != english


def _said_in(locale: str) -> str:
    with force_locale(locale):
        return words(State.PACKED, "UPS").word
