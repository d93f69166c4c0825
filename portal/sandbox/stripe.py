"""The stand-in's Stripe routes, /stripe/v1: payments, charges, refunds and the balance.

The real client comes here with `base_addresses={"api": "http://127.0.0.1:PORT/stripe"}`.
"""

from typing import Final

from flask import Blueprint, Response
from stripe import params

from portal.sandbox import stripe_intents as intents
from portal.sandbox import stripe_refunds as refunds
from portal.sandbox.stripe_desk import asked, merged, page, pages, shown, till

bp = Blueprint("stripe", __name__, url_prefix="/stripe/v1")

LIST: Final = "created limit starting_after ending_before"
INTENT: Final = "description receipt_email setup_future_usage shipping"
DESCRIPTORS: Final = "statement_descriptor statement_descriptor_suffix"


@bp.post("/payment_intents")
def create_intent() -> Response:
    given = asked(
        params.PaymentIntentCreateParams,
        f"amount currency automatic_payment_methods capture_method confirm customer metadata "
        f"off_session payment_method return_url error_on_requires_action {INTENT} {DESCRIPTORS}",
    )
    return shown(intents.create(till(), given, pages()), given)


@bp.get("/payment_intents")
def list_intents() -> Response:
    given = asked(params.PaymentIntentListParams, f"customer {LIST}")
    rows = till().newest("payment_intent", customer=given.get("customer"))
    return page(rows, given, "payment_intent")


@bp.get("/payment_intents/<id>")
def show_intent(id: str) -> Response:
    given = asked(params.PaymentIntentRetrieveParams)
    return shown(till().one("payment_intent", id, "intent"), given)


@bp.post("/payment_intents/<id>")
def update_intent(id: str) -> Response:
    intent = till().one("payment_intent", id, "intent")
    given = asked(params.PaymentIntentUpdateParams, f"metadata {INTENT} {DESCRIPTORS}")
    merged(intent, given, *INTENT.split(), *DESCRIPTORS.split())
    return shown(intent, given)


@bp.post("/payment_intents/<id>/confirm")
def confirm_intent(id: str) -> Response:
    intent = till().one("payment_intent", id, "intent")
    given = asked(
        params.PaymentIntentConfirmParams,
        "error_on_requires_action off_session payment_method return_url setup_future_usage",
    )
    return shown(intents.confirm(till(), intent, given, pages()), given)


@bp.post("/payment_intents/<id>/capture")
def capture_intent(id: str) -> Response:
    intent = till().one("payment_intent", id, "intent")
    given = asked(params.PaymentIntentCaptureParams, "amount_to_capture metadata")
    return shown(intents.capture(till(), intent, given), given)


@bp.post("/payment_intents/<id>/cancel")
def cancel_intent(id: str) -> Response:
    intent = till().one("payment_intent", id, "intent")
    given = asked(params.PaymentIntentCancelParams, "cancellation_reason")
    return shown(intents.cancel(till(), intent, given.get("cancellation_reason")), given)


@bp.get("/charges")
def list_charges() -> Response:
    given = asked(params.ChargeListParams, f"customer payment_intent {LIST}")
    wanted = {name: given.get(name) for name in ("customer", "payment_intent")}
    return page(till().newest("charge", **wanted), given, "charge")


@bp.get("/charges/<id>")
def show_charge(id: str) -> Response:
    given = asked(params.ChargeRetrieveParams)
    return shown(till().one("charge", id, "charge"), given)


@bp.post("/refunds")
def create_refund() -> Response:
    given = asked(
        params.RefundCreateParams, "amount charge currency metadata payment_intent reason"
    )
    return shown(refunds.create(till(), given), given)


@bp.get("/refunds")
def list_refunds() -> Response:
    given = asked(params.RefundListParams, f"charge payment_intent {LIST}")
    wanted = {name: given.get(name) for name in ("charge", "payment_intent")}
    return page(refunds.listed(till(), **wanted), given, "refund")


@bp.get("/refunds/<id>")
def show_refund(id: str) -> Response:
    given = asked(params.RefundRetrieveParams)
    return shown(till().one("refund", id, "refund"), given)


@bp.post("/refunds/<id>")
def update_refund(id: str) -> Response:
    refund = till().one("refund", id, "refund")
    given = asked(params.RefundUpdateParams, "metadata")
    merged(refund, given)
    till().happened("refund.updated", refund)
    return shown(refund, given)


@bp.post("/refunds/<id>/cancel")
def cancel_refund(id: str) -> Response:
    refund = till().one("refund", id, "refund")
    given = asked(params.RefundCancelParams)
    return shown(refunds.cancel(till(), refund), given)


@bp.get("/balance_transactions/<id>")
def show_balance_transaction(id: str) -> Response:
    given = asked(params.BalanceTransactionRetrieveParams)
    return shown(till().one("balance_transaction", id), given)
