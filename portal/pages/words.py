"""The plain words for every state a parcel can be in.

`N_` marks a text for translation; it is looked up only when a page is made, in the language of the
request. Texts may use %(carrier)s, %(since)s and %(next_check)s. No carrier wording, no code names.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from portal.pages.speech import N_, _
from portal.pages.state import State


class Tone(StrEnum):
    """How a state feels; each tone has its own colour and its own sign beside the word."""

    MOVING = "moving"
    DONE = "done"
    ATTENTION = "attention"
    PROBLEM = "problem"


Ask = Literal["", "carrier", "claim", "support"]


@dataclass(frozen=True)
class Words:
    """What one state says. `lead` and `advice` tell the reader what to do, `ask` whom to ask."""

    word: str
    sentence: str
    tone: Tone
    lead: str = ""
    advice: str = ""
    ask: Ask = ""


NOTHING_TO_DO = N_("Nothing for you to do.")

WORDS: dict[State, Words] = {
    State.PLACED: Words(
        N_("Order placed"),
        N_("The arrival date appears here once it is on its way."),
        Tone.MOVING,
    ),
    State.PACKED: Words(
        N_("Packed"),
        N_(
            "It is packed. %(carrier)s has not scanned it yet, which is normal "
            "for up to one working day."
        ),
        Tone.MOVING,
    ),
    State.UNKNOWN: Words(
        N_("Waiting for %(carrier)s"),
        N_("%(carrier)s has told us nothing about it yet, which is normal on the first day."),
        Tone.MOVING,
    ),
    State.MOVING: Words(N_("On its way"), N_("It is travelling with %(carrier)s."), Tone.MOVING),
    State.NEAR: Words(
        N_("At your local depot"), N_("It has reached the depot near you."), Tone.MOVING
    ),
    State.OUT_FOR_DELIVERY: Words(
        N_("Out for delivery"), N_("It is in the van and comes to you today."), Tone.MOVING
    ),
    State.PICKUP: Words(
        N_("Ready for pickup"),
        N_("It is waiting for you at the pickup point."),
        Tone.ATTENTION,
        N_("Bring an ID or the pickup code."),
        N_("The address and opening hours are on %(carrier)s's page."),
        "carrier",
    ),
    State.DELIVERED: Words(N_("Delivered"), N_("%(carrier)s has handed it over."), Tone.DONE),
    State.LATE: Words(
        N_("Running late"),
        N_("It is taking longer with %(carrier)s than planned."),
        Tone.ATTENTION,
        NOTHING_TO_DO,
        N_("It is still coming. Rather not wait?"),
        "support",
    ),
    State.QUIET: Words(
        N_("No news for a while"),
        N_("%(carrier)s has not scanned it since %(since)s."),
        Tone.ATTENTION,
        NOTHING_TO_DO,
        N_("Most parcels move again within two days. We check again %(next_check)s."),
    ),
    State.ADDRESS: Words(
        N_("Needs your help"),
        N_("%(carrier)s cannot find the address on the parcel."),
        Tone.PROBLEM,
        N_("Please check the address."),
        N_("Send us the right one today and we pass it on."),
        "support",
    ),
    State.WEATHER: Words(
        N_("Held up by weather"),
        N_("Bad weather is holding it up on the way."),
        Tone.ATTENTION,
        NOTHING_TO_DO,
        N_("It moves on as soon as the roads are open. Rather not wait?"),
        "support",
    ),
    State.CUSTOMS: Words(
        N_("At customs"),
        N_("Customs is looking at it. This can take a few days."),
        Tone.ATTENTION,
        N_("Is there something to pay?"),
        N_("If so, %(carrier)s says how much and where on its page."),
        "carrier",
    ),
    State.INFORMATION: Words(
        N_("Needs your help"),
        N_("%(carrier)s is waiting for information before it can go on."),
        Tone.PROBLEM,
        N_("Please see what is missing."),
        N_("%(carrier)s names it on its page."),
        "carrier",
    ),
    State.DAMAGED: Words(
        N_("Damaged on the way"),
        N_("%(carrier)s reports that the parcel was damaged."),
        Tone.PROBLEM,
        N_("We make this right."),
        N_("You choose: a replacement or your money back."),
        "support",
    ),
    State.HELD: Words(
        N_("Held by the carrier"),
        N_("%(carrier)s is keeping it at a depot for now."),
        Tone.ATTENTION,
        N_("You may be able to release it."),
        N_("%(carrier)s gives the reason and the next step on its page."),
        "carrier",
    ),
    State.REFUSED: Words(
        N_("Not accepted"),
        N_("The parcel was turned away at the door."),
        Tone.PROBLEM,
        N_("Was that a mistake?"),
        N_("Tell us today, before it starts its way back."),
        "support",
    ),
    State.MISSORTED: Words(
        N_("Took a wrong turn"),
        N_("It went to the wrong depot. %(carrier)s is sending it on."),
        Tone.ATTENTION,
        NOTHING_TO_DO,
        N_("This usually costs a day or two."),
    ),
    State.PROBLEM: Words(
        N_("Held up"),
        N_("%(carrier)s reports a problem on the way and gives no reason."),
        Tone.ATTENTION,
        NOTHING_TO_DO,
        N_("We keep asking. Rather not wait?"),
        "support",
    ),
    State.ATTEMPT_FAILED: Words(
        N_("Delivery tried"),
        N_("%(carrier)s came by and could not hand it over."),
        Tone.ATTENTION,
        N_("Choose a day or a place that suits you."),
        N_("Only %(carrier)s can change the delivery. Otherwise it tries again by itself."),
        "carrier",
    ),
    State.LOST: Words(
        N_("Probably lost"),
        N_("%(carrier)s has not scanned it for so long that we no longer expect it."),
        Tone.PROBLEM,
        N_("You do not have to wait any longer."),
        N_("You choose: a replacement or your money back."),
        "claim",
    ),
    State.RETURNING: Words(
        N_("Coming back to us"),
        N_("%(carrier)s could not deliver it and is bringing it back."),
        Tone.PROBLEM,
        N_("Still want it?"),
        N_("We send it out again or give your money back, as you like."),
        "support",
    ),
    State.RETURNED: Words(
        N_("Back with us"),
        N_("The parcel came back to us undelivered."),
        Tone.PROBLEM,
        N_("What should we do with it?"),
        N_("We send it out again or give your money back, as you like."),
        "support",
    ),
    State.CANCELLED: Words(
        N_("Cancelled"),
        N_("It will not be delivered."),
        Tone.PROBLEM,
        N_("Did you not expect this?"),
        N_("Tell us and we look into it."),
        "support",
    ),
    State.EXPIRED: Words(
        N_("No longer tracked"),
        N_("%(carrier)s keeps no further news about this parcel."),
        Tone.ATTENTION,
        N_("Did it not arrive?"),
        N_("Tell us and we look into it."),
        "claim",
    ),
}


def words(state: State, carrier: str, since: str = "", next_check: str = "") -> Words:
    """The words of `state` in the reader's language; the other arguments are shown as given."""
    raw = WORDS[state]
    values = {
        "carrier": carrier or _("the carrier"),
        "since": since,
        "next_check": next_check or _("soon"),
    }

    def say(text: str) -> str:
        return _(text, **values) if text else ""

    return Words(
        say(raw.word), say(raw.sentence), raw.tone, say(raw.lead), say(raw.advice), raw.ask
    )
