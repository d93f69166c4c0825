"""Stripe's objects with every field they have, as they are born."""

from typing import Any

from portal.sandbox.refusals import Json
from portal.sandbox.stripe_account import Till, new_id
from portal.sandbox.stripe_cards import Card


def _born(till: Till, kind: str, prefix: str) -> Json:
    return {
        "id": new_id(prefix),
        "object": kind,
        "created": till.seconds(),
        "livemode": False,
        "metadata": {},
    }


def empty(*names: str) -> Json:
    """Fields that say nothing yet."""
    return dict.fromkeys(names)


def payment_intent(till: Till, amount: int, currency: str) -> Json:
    """A payment that waits for its means."""
    born = _born(till, "payment_intent", "pi")
    return {
        **born,
        "amount": amount,
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
        "capture_method": "automatic_async",
        "client_secret": f"{born['id']}_{new_id('secret')}",
        "confirmation_method": "automatic",
        "currency": currency,
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
        **empty("application", "application_fee_amount", "canceled_at", "cancellation_reason"),
        **empty("customer", "customer_account", "description", "excluded_payment_method_types"),
        **empty("last_payment_error", "latest_charge", "managed_payments", "next_action"),
        **empty("on_behalf_of", "payment_method", "payment_method_configuration_details"),
        **empty("processing", "receipt_email", "review", "setup_future_usage", "shipping"),
        **empty("source", "statement_descriptor", "statement_descriptor_suffix"),
        **empty("transfer_data", "transfer_group"),
    }


def charge(till: Till, intent: Json, method: Json) -> Json:
    """One attempt to take the money of a payment."""
    return {
        **_born(till, "charge", "ch"),
        "amount": intent["amount"],
        "amount_captured": 0,
        "amount_refunded": 0,
        "billing_details": dict(method["billing_details"]),
        "calculated_statement_descriptor": "SANDBOX",
        "captured": False,
        "currency": intent["currency"],
        "customer": intent["customer"],
        "description": intent["description"],
        "disputed": False,
        "fraud_details": {},
        "metadata": dict(intent["metadata"]),
        "outcome": _outcome(None),
        "paid": False,
        "payment_intent": intent["id"],
        "payment_method": method["id"],
        "payment_method_details": {"card": _card_charged(intent, method), "type": "card"},
        "receipt_email": intent["receipt_email"],
        "refunded": False,
        "shipping": intent["shipping"],
        "status": "failed",
        **empty("application", "application_fee", "application_fee_amount", "balance_transaction"),
        **empty("failure_balance_transaction", "failure_code", "failure_message", "on_behalf_of"),
        **empty("receipt_number", "receipt_url", "review", "source", "source_transfer"),
        **empty("statement_descriptor", "statement_descriptor_suffix", "transfer_data"),
        **empty("transfer_group"),
    }


def _outcome(decline: str | None) -> Json:
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "declined_by_network" if decline else "approved_by_network",
        "reason": decline,
        "seller_message": "The bank declined." if decline else "Payment complete.",
        "type": "issuer_declined" if decline else "authorized",
    }


def declined(thing: Json, code: str, decline: str, message: str) -> None:
    """Write on a charge why it failed."""
    thing.update(failure_code=code, failure_message=message, outcome=_outcome(decline or code))


def _card_charged(intent: Json, method: Json) -> Json:
    card = method["card"]
    kept = ("brand", "checks", "country", "exp_month", "exp_year", "fingerprint", "funding")
    return {
        **{name: card[name] for name in (*kept, "last4", "regulated_status")},
        "amount_authorized": intent["amount"],
        "extended_authorization": {"status": "disabled"},
        "incremental_authorization": {"status": "unavailable"},
        "multicapture": {"status": "unavailable"},
        "network": card["brand"],
        "network_token": {"used": False},
        "overcapture": {
            "maximum_amount_capturable": intent["amount"],
            "status": "unavailable",
        },
        **empty("authorization_code", "installments", "mandate", "network_transaction_id"),
        **empty("three_d_secure", "transaction_link_id", "wallet"),
    }


def refund(till: Till, of: Json, amount: int) -> Json:
    """Money on its way back."""
    return {
        **{
            name: value for name, value in _born(till, "refund", "re").items() if name != "livemode"
        },
        "amount": amount,
        "charge": of["id"],
        "currency": of["currency"],
        "destination_details": {"card": {"type": "refund"}, "type": "card"},
        "payment_intent": of["payment_intent"],
        "status": "succeeded",
        **empty("balance_transaction", "customer", "customer_account", "payment_method", "reason"),
        **empty("receipt_number", "source_transfer_reversal", "transfer_reversal"),
    }


def balance_transaction(till: Till, source: Json, amount: int, kind: str, fee: int) -> Json:
    """What a charge or a refund does to the balance; negative for money that leaves."""
    return {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": till.seconds() + 2 * 86_400,
        "balance_type": "payments",
        "created": till.seconds(),
        "currency": source["currency"],
        "description": source.get("description"),
        "exchange_rate": None,
        "fee": fee,
        "fee_details": [],
        "net": amount - fee,
        "reporting_category": kind,
        "source": source["id"],
        "status": "pending",
        "type": kind,
    }


def address() -> Json:
    """An address nobody gave."""
    return empty("city", "country", "line1", "line2", "postal_code", "state")


def payment_method(till: Till, card: Card, billing: Json | None = None) -> Json:
    """A card as Stripe keeps it."""
    details = {"address": address(), **empty("email", "name", "phone", "tax_id")}
    details.update({name: value for name, value in (billing or {}).items() if value != ""})
    return {
        **_born(till, "payment_method", "pm"),
        "allow_redisplay": "unspecified",
        "billing_details": details,
        "card": {
            "brand": card.brand,
            "checks": {
                "address_line1_check": None,
                "address_postal_code_check": None,
                "cvc_check": "pass",
            },
            "country": "US",
            "display_brand": card.brand,
            "exp_month": 12,
            "exp_year": till.now().year + 3,
            "fingerprint": f"Sandbox{card.last4}",
            "funding": "credit",
            "last4": card.last4,
            "networks": {"available": [card.brand], "preferred": None},
            "three_d_secure_usage": {"supported": True},
            **empty("generated_from", "regulated_status", "wallet"),
        },
        "type": "card",
        **empty("customer", "customer_account"),
    }


def setup_intent(till: Till) -> Json:
    """A card to be saved for later."""
    born = _born(till, "setup_intent", "seti")
    return {
        **born,
        "automatic_payment_methods": {"allow_redirects": "always", "enabled": True},
        "client_secret": f"{born['id']}_{new_id('secret')}",
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "status": "requires_payment_method",
        "usage": "off_session",
        **empty("application", "cancellation_reason", "customer", "description"),
        **empty("excluded_payment_method_types", "flow_directions", "last_setup_error"),
        **empty("latest_attempt", "mandate", "next_action", "on_behalf_of", "payment_method"),
        **empty("payment_method_configuration_details", "single_use_mandate"),
    }


def customer(till: Till) -> Json:
    """Somebody whose cards can be kept."""
    return {
        **_born(till, "customer", "cus"),
        "balance": 0,
        "delinquent": False,
        "invoice_prefix": new_id("inv", 8)[4:].upper(),
        "invoice_settings": empty(
            "custom_fields", "default_payment_method", "footer", "rendering_options"
        ),
        "next_invoice_sequence": 1,
        "preferred_locales": [],
        "tax_exempt": "none",
        **empty("address", "currency", "default_source", "description", "discount", "email"),
        **empty("name", "phone", "shipping", "test_clock"),
    }


def dispute(till: Till, of: Json, fields: tuple[str, ...], **said: Any) -> Json:
    """Money that the card's owner wants back through the bank."""
    return {
        **_born(till, "dispute", "dp"),
        "amount": of["amount_captured"],
        "balance_transactions": [],
        "charge": of["id"],
        "currency": of["currency"],
        "enhanced_eligibility_types": [],
        "evidence": {**empty(*fields), "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": till.seconds() + 7 * 86_400,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
        },
        "payment_intent": of["payment_intent"],
        "payment_method_details": {
            "card": {
                "brand": of["payment_method_details"]["card"]["brand"],
                "case_type": "chargeback",
                "network": of["payment_method_details"]["card"]["network"],
                "network_reason_code": "10.4",
            },
            "type": "card",
        },
        **said,
    }
