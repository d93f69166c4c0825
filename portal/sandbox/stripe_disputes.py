"""Disputes: opened by a test card or at the door, answered with evidence, closed."""

from typing import Final

from stripe.params import DisputeUpdateParams

from portal.sandbox import stripe_objects as born
from portal.sandbox.refusals import Json
from portal.sandbox.stripe_account import Till
from portal.sandbox.stripe_params import spec_of
from portal.sandbox.stripe_refusals import wrong

OPEN: Final = ("warning_needs_response", "needs_response")
EVIDENCE: Final = tuple(
    name
    for name in spec_of(DisputeUpdateParams).fields["evidence"].fields
    if name != "enhanced_evidence"
)
FILES: Final = frozenset(
    {
        *("cancellation_policy", "customer_communication", "customer_signature", "receipt"),
        *("duplicate_charge_documentation", "refund_policy", "service_documentation"),
        *("shipping_documentation", "uncategorized_file"),
    }
)
# What Stripe's test mode makes of these words in the evidence.
VERDICTS: Final = {"winning_evidence": "won", "losing_evidence": "lost"}
FEE: Final = 1500


def open_dispute(till: Till, charge: Json, reason: str, *, inquiry: bool = False) -> Json:
    """The card's owner complains: an inquiry asks first, anything else takes the money at once."""
    if charge["disputed"] or not charge["captured"]:
        raise wrong(f"Charge {charge['id']} cannot be disputed.")
    dispute = till.put(
        born.dispute(
            till,
            charge,
            EVIDENCE,
            reason=reason,
            is_charge_refundable=inquiry,
            status="warning_needs_response" if inquiry else "needs_response",
        )
    )
    charge["disputed"] = True
    till.happened("charge.dispute.created", dispute)
    if not inquiry:
        _move(till, dispute, -dispute["amount"], FEE)
        till.happened("charge.dispute.funds_withdrawn", dispute)
    return dispute


def _move(till: Till, dispute: Json, amount: int, fee: int) -> None:
    entry = till.put(born.balance_transaction(till, dispute, amount, "dispute", fee))
    dispute["balance_transactions"].append(dict(entry))


def answer(till: Till, dispute: Json, asked: Json) -> Json:
    """Take evidence in; `submit` (the default) hands it to the bank, which decides later."""
    if dispute["status"] not in OPEN:
        raise wrong("This dispute is closed or under review; it takes no more evidence.")
    if dispute["evidence_details"]["due_by"] < till.seconds():
        raise wrong("This dispute is past due; it takes no more evidence.")
    given = {k: v for k, v in (asked.get("evidence") or {}).items() if v != ""}
    for name in FILES & set(given):
        till.one("file", given[name], f"evidence[{name}]", 400)
    dispute["metadata"].update(asked.get("metadata") or {})
    dispute["evidence"].update(given)
    details = dispute["evidence_details"]
    details["has_evidence"] = details["has_evidence"] or bool(given)
    submitted = asked.get("submit", True) and bool(given)
    if submitted:
        details["submission_count"] += 1
        warning = dispute["status"].startswith("warning")
        dispute["status"] = "warning_under_review" if warning else "under_review"
    till.happened("charge.dispute.updated", dispute)
    verdict = VERDICTS.get(given.get("uncategorized_text", ""))
    if submitted and verdict:
        decide(till, dispute, verdict)
    return dispute


def decide(till: Till, dispute: Json, verdict: str) -> Json:
    """The bank's last word: won, lost, or warning_closed. Money comes back where it was won."""
    if dispute["status"] in ("won", "lost", "warning_closed"):
        raise wrong("This dispute is already closed.")
    dispute["status"] = verdict
    if verdict == "won" and not dispute["is_charge_refundable"]:
        _move(till, dispute, dispute["amount"], -FEE)
        till.happened("charge.dispute.funds_reinstated", dispute)
    till.happened("charge.dispute.closed", dispute)
    return dispute
