"""Refunds: never more than was taken, and not all of them arrive."""

from datetime import timedelta
from typing import Final

from portal.sandbox import stripe_objects as born
from portal.sandbox.refusals import Json
from portal.sandbox.stripe_account import Till
from portal.sandbox.stripe_cards import Fate
from portal.sandbox.stripe_currencies import check_grain
from portal.sandbox.stripe_refusals import misasked, wrong

DEAD: Final = ("failed", "canceled")
MOVES: Final = {
    "pending": ("succeeded", "requires_action", *DEAD),
    "requires_action": ("succeeded", "pending", *DEAD),
    "succeeded": ("failed",),
}


def create(till: Till, asked: Json) -> Json:
    """Send money back to where it came from; without an amount, all that is left."""
    charge = _charge(till, asked)
    left = charge["amount"] - charge["amount_refunded"]
    if charge["disputed"] and not _is_refundable(till, charge):
        message = f"Charge {charge['id']} has been charged back; cannot issue a refund."
        raise wrong(message, "charge_disputed", charge=charge["id"])
    if left == 0:
        message = f"Charge {charge['id']} has already been refunded."
        raise wrong(message, "charge_already_refunded", charge=charge["id"])
    amount = asked.get("amount", left)
    check_grain(amount, charge["currency"])
    if amount > left:
        message = f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})"
        raise wrong(message, "amount_too_large", param="amount", charge=charge["id"])
    refund = till.put(born.refund(till, charge, amount))
    refund.update(reason=asked.get("reason"), metadata=dict(asked.get("metadata") or {}))
    _begin(till, refund, charge)
    return refund


def listed(till: Till, **wanted: str | None) -> list[Json]:
    """The refunds that the list shows, newest first: it may be behind, or leave metadata out."""
    shown = (till.now() - till.unlisted).timestamp()
    rows = [row for row in till.newest("refund", **wanted) if row["created"] <= shown]
    return [{**row, "metadata": {}} for row in rows] if till.bare else rows


def _charge(till: Till, asked: Json) -> Json:
    if ("payment_intent" in asked) == ("charge" in asked):
        message = "Exactly one of these params should be provided: payment_intent, charge."
        raise misasked(message, "parameter_missing", "payment_intent")
    if "charge" in asked:
        charge = till.one("charge", asked["charge"], "charge")
    else:
        intent = till.one("payment_intent", asked["payment_intent"], "payment_intent")
        if intent["status"] != "succeeded":
            message = f"This PaymentIntent ({intent['id']}) has no successful charge to refund."
            raise wrong(message, "payment_intent_unexpected_state", param="payment_intent")
        charge = till.one("charge", intent["latest_charge"])
    if not charge["captured"]:
        raise wrong(f"Charge {charge['id']} was not captured.", "charge_not_refundable")
    given = asked.get("currency", charge["currency"])
    if given != charge["currency"]:
        raise wrong("The currency is not the charge's.", param="currency")
    return charge


def _is_refundable(till: Till, charge: Json) -> bool:
    """Whether nothing is against it: an inquiry, or a dispute that was won, leaves it free."""
    return all(
        each["is_charge_refundable"] or each["status"] == "won"
        for each in till.newest("dispute", charge=charge["id"])
    )


def _begin(till: Till, refund: Json, charge: Json) -> None:
    fate = till.fates.popleft() if till.fates else till.cards[charge["payment_method"]].fate
    refund["status"] = fate.first
    if fate.first == "failed":
        refund["failure_reason"] = fate.reason or "unknown"
    else:
        _count(till, refund, charge)
    if fate.first == "requires_action":
        refund["next_action"] = {"display_details": {"email_sent": {}}, "type": "display_details"}
    till.happened("refund.created", refund)
    if fate.first != "failed":
        till.happened("charge.refunded", charge)
    if fate.then:
        till.at(till.now() + timedelta(seconds=fate.after), lambda: _fulfil(till, refund, fate))


def _count(till: Till, refund: Json, charge: Json) -> None:
    total = charge["amount_refunded"] + refund["amount"]
    charge.update(amount_refunded=total, refunded=total == charge["amount"])
    entry = born.balance_transaction(till, refund, -refund["amount"], "refund", 0)
    refund["balance_transaction"] = till.put(entry)["id"]


def _fulfil(till: Till, refund: Json, fate: Fate) -> None:
    if fate.then and fate.then in MOVES.get(refund["status"], ()):
        move(till, refund, fate.then, fate.reason)


def move(till: Till, refund: Json, status: str, reason: str | None = None) -> Json:
    """What became of a refund. Failed and cancelled ones are no longer counted on the charge."""
    if status not in MOVES.get(refund["status"], ()):
        raise wrong(f"A refund that is {refund['status']} cannot become {status}.")
    refund["status"] = status
    refund.pop("next_action", None)
    if status in DEAD:
        charge = till.one("charge", refund["charge"])
        charge.update(amount_refunded=charge["amount_refunded"] - refund["amount"], refunded=False)
        entry = born.balance_transaction(till, refund, refund["amount"], "refund_failure", 0)
        refund["failure_balance_transaction"] = till.put(entry)["id"]
    if status == "failed":
        refund["failure_reason"] = reason or "unknown"
        till.happened("refund.failed", refund)
    till.happened("refund.updated", refund)
    till.happened("charge.refund.updated", refund)
    return refund


def cancel(till: Till, refund: Json) -> Json:
    """Only a refund that waits for its receiver can be called back."""
    if refund["status"] != "requires_action":
        message = "You can only cancel refunds with a status of requires_action."
        raise wrong(message, param="refund")
    return move(till, refund, "canceled")
