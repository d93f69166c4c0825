"""The door behind the stand-in's Stripe, /_sandbox/stripe: what banks, people and time do."""

from datetime import timedelta
from typing import Annotated, Literal

from flask import Blueprint, Response, jsonify
from pydantic import Field, StringConstraints

from portal.sandbox import stripe_disputes as disputes
from portal.sandbox import stripe_intents as intents
from portal.sandbox import stripe_paying as paying
from portal.sandbox import stripe_refunds as refunds
from portal.sandbox.admin import only_from_here
from portal.sandbox.asked import Asked, Text
from portal.sandbox.easypost import body
from portal.sandbox.refusals import not_found
from portal.sandbox.stripe_cards import Fate
from portal.sandbox.stripe_desk import pages, till

bp = Blueprint("stripe_door", __name__, url_prefix="/_sandbox/stripe")
bp.before_request(only_from_here)

RefundStatus = Literal["pending", "requires_action", "succeeded", "failed", "canceled"]
FailureReason = Literal[
    "lost_or_stolen_card",
    "expired_or_canceled_card",
    "charge_for_pending_refund_disputed",
    "insufficient_funds",
    "declined",
    "merchant_request",
    "unknown",
]


class RefundKnown(Asked):
    """A refund that was made before a restart. `metadata` is what it was made with."""

    amount: Annotated[int, Field(gt=0)]
    metadata: dict[str, str] = Field(default_factory=dict)


class PaymentRegistered(Asked):
    """A payment that somebody outside knows by `reference`, paid with the test card `card`."""

    reference: Annotated[str, StringConstraints(pattern=r"^pi_[0-9A-Za-z_]{4,200}$")]
    amount: Annotated[int, Field(gt=0)]
    currency: Text
    card: Text = "pm_card_visa"
    hold: bool = False
    refunds: list[RefundKnown] = Field(default_factory=list)


class FateAsked(Asked):
    """What becomes of the next refund: `first` at once, `then` after `after` seconds."""

    first: Literal["pending", "requires_action", "succeeded", "failed"] = "succeeded"
    then: RefundStatus | None = None
    after: Annotated[float, Field(ge=0)] = 30
    reason: FailureReason | None = None


class ListAsked(Asked):
    """How far the list of refunds is behind, in seconds, and whether it leaves metadata out."""

    behind: Annotated[float, Field(ge=0)] = 0
    bare: bool = False


class RefundMoved(Asked):
    status: RefundStatus
    reason: FailureReason | None = None


class DisputeOpened(Asked):
    charge: Text
    reason: Text = "product_not_received"
    inquiry: bool = False


class DisputeDecided(Asked):
    verdict: Literal["won", "lost", "warning_closed"]


class Answered(Asked):
    agreed: bool


class Cleared(Asked):
    arrived: bool


class ClockMoved(Asked):
    """How far ahead of the world this clock is, in seconds. It never goes back."""

    ahead: Annotated[float, Field(ge=0, le=400 * 86_400)]


@bp.post("/payments")
def register() -> tuple[Response, int]:
    """Make a payment under a known reference, with its refunds; 200 where it is there already."""
    asked = body(PaymentRegistered)
    known = till().shelves["payment_intent"].get(asked.reference)
    if known is not None:
        return jsonify(known), 200
    wanted = {
        "amount": asked.amount,
        "currency": asked.currency,
        "payment_method": asked.card,
        "capture_method": "manual" if asked.hold else "automatic_async",
        "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        "confirm": True,
    }
    intent = intents.create(till(), wanted, pages(), asked.reference)
    for each in asked.refunds:
        refunds.create(till(), {"payment_intent": asked.reference, **each.model_dump()})
    return jsonify(intent), 201


@bp.post("/refund-fates")
def add_fate() -> tuple[Response, int]:
    """The next refund without a fate waiting before it gets this one, whatever its card."""
    till().fates.append(Fate(**body(FateAsked).model_dump()))
    return jsonify({"waiting": len(till().fates)}), 201


@bp.post("/refund-list")
def bend_list() -> Response:
    """What the list of refunds shows from now on; each refund by its id is shown as it is."""
    asked = body(ListAsked)
    till().unlisted, till().bare = timedelta(seconds=asked.behind), asked.bare
    return jsonify(asked.model_dump())


@bp.post("/refunds/<id>")
def move_refund(id: str) -> Response:
    asked = body(RefundMoved)
    refund = refunds.move(till(), till().one("refund", id), asked.status, asked.reason)
    return jsonify(refund)


@bp.post("/disputes")
def open_dispute() -> tuple[Response, int]:
    asked = body(DisputeOpened)
    charge = till().one("charge", asked.charge)
    dispute = disputes.open_dispute(till(), charge, asked.reason, inquiry=asked.inquiry)
    return jsonify(dispute), 201


@bp.post("/disputes/<id>")
def decide_dispute(id: str) -> Response:
    dispute = till().one("dispute", id)
    return jsonify(disputes.decide(till(), dispute, body(DisputeDecided).verdict))


@bp.post("/authentications/<id>")
def answer_bank(id: str) -> Response:
    """What the card's owner tells the bank about a payment or setup that asks."""
    kind = "setup_intent" if id.startswith("seti_") else "payment_intent"
    thing = till().one(kind, id)
    paying.answered(till(), thing, agreed=body(Answered).agreed)
    return jsonify(thing)


@bp.post("/sessions/<id>/clearing")
def clear(id: str) -> Response:
    """Whether the money of a bank debit arrived in the end."""
    session = till().one("checkout.session", id)
    return jsonify(paying.cleared(till(), session, arrived=body(Cleared).arrived))


@bp.post("/events/<id>/resend")
def resend(id: str) -> Response:
    """Send an event once more to every endpoint that wants its kind."""
    event = till().events.get(id)
    if event is None:
        raise not_found()
    hooks = [hook for hook in till().hooks.values() if hook.wants(event.kind)]
    till().send(event, hooks)
    return jsonify({"sent": len(hooks)})


@bp.post("/clock")
def move_clock() -> Response:
    """Move Stripe's clock on: holds lapse, pages close, refunds arrive, keys are forgotten."""
    ahead = timedelta(seconds=body(ClockMoved).ahead)
    till().ahead = max(till().ahead, ahead)
    till().tell_due()
    return jsonify({"ahead": till().ahead.total_seconds(), "now": till().seconds()})
