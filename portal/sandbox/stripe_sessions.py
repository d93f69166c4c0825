"""Checkout sessions: a page of Stripe's where somebody pays or saves a card, or leaves."""

from datetime import UTC, datetime, timedelta
from typing import Final

from portal.sandbox import stripe_objects as born
from portal.sandbox.refusals import Json
from portal.sandbox.stripe_account import Till, new_id
from portal.sandbox.stripe_currencies import check_amount, check_currency
from portal.sandbox.stripe_refusals import misasked, missing, wrong

LONGEST: Final = timedelta(hours=24)
SHORTEST: Final = timedelta(minutes=30)
PLACE: Final = "{CHECKOUT_SESSION_ID}"
ACTS_ON: Final = (
    "mode line_items success_url cancel_url client_reference_id customer customer_creation "
    "customer_email currency expires_at locale metadata payment_intent_data setup_intent_data "
    "submit_type ui_mode"
)


def create(till: Till, asked: Json, pages: str) -> Json:
    """A page to pay at, open for a day unless told otherwise."""
    _check(asked)
    lines = [_line(line, place) for place, line in enumerate(asked.get("line_items", ()))]
    currency = _currency(asked, lines)
    total = sum(line["amount_total"] for line in lines)
    if asked["mode"] == "payment":
        check_amount(total, currency, "line_items")
    session = _born(till, asked, currency, total)
    session["url"] = f"{pages}/pay/{session['id']}"
    if asked.get("customer"):
        session["customer"] = till.one("customer", asked["customer"], "customer", 400)["id"]
    till.put(session)
    till.lines[session["id"]] = lines
    till.wishes[session["id"]] = asked
    till.at(datetime.fromtimestamp(session["expires_at"], UTC), lambda: _expire_due(till, session))
    till.account.effects["checkout.session.created"] += 1
    return session


def _check(asked: Json) -> None:
    mode = asked.get("mode")
    if mode not in ("payment", "setup"):
        message = "The sandbox has payment and setup sessions, no subscriptions."
        raise misasked(message if mode else "Missing required param: mode.", None, "mode")
    if asked.get("ui_mode", "hosted_page") != "hosted_page":
        raise misasked("The sandbox has hosted pages only.", None, "ui_mode")
    if not asked.get("success_url"):
        raise misasked("Missing required param: success_url.", "parameter_missing", "success_url")
    if mode == "payment" and not asked.get("line_items"):
        raise misasked("Missing required param: line_items.", "parameter_missing", "line_items")
    for name in (
        ("line_items", "payment_intent_data") if mode == "setup" else ("setup_intent_data",)
    ):
        if name in asked:
            raise misasked(f"You can not pass `{name}` in `{mode}` mode.", None, name)
    if asked.get("customer") and asked.get("customer_email"):
        message = "You may only specify one of these parameters: customer, customer_email."
        raise misasked(message, None, "customer")


def _line(asked: Json, place: int) -> Json:
    path = f"line_items[{place}]"
    if asked.get("price"):
        raise missing("price", asked["price"], f"{path}[price]", 400)
    data = asked.get("price_data") or {}
    if not isinstance(data.get("unit_amount"), int) or "product_data" not in data:
        message = f"Missing required param: {path}[price_data] with unit_amount and product_data."
        raise misasked(message, "parameter_missing", f"{path}[price_data]")
    quantity = asked.get("quantity")
    if not quantity or quantity < 1:
        raise misasked(f"Missing required param: {path}[quantity].", "parameter_missing", path)
    if data["unit_amount"] < 0:
        message = "This value must be greater than or equal to 0."
        raise misasked(message, "parameter_invalid_integer", f"{path}[price_data][unit_amount]")
    currency = check_currency(data["currency"])
    amount = data["unit_amount"] * quantity
    return {
        "id": new_id("li"),
        "object": "item",
        "adjustable_quantity": None,
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": currency,
        "description": data["product_data"]["name"],
        "metadata": asked.get("metadata") or {},
        "price": _price(data, currency),
        "quantity": quantity,
    }


def _price(data: Json, currency: str) -> Json:
    return {
        "id": new_id("price"),
        "object": "price",
        "active": False,
        "billing_scheme": "per_unit",
        "created": 0,
        "currency": currency,
        "livemode": False,
        "metadata": {},
        "product": new_id("prod", 14),
        "tax_behavior": data.get("tax_behavior", "unspecified"),
        "type": "one_time",
        "unit_amount": data["unit_amount"],
        "unit_amount_decimal": str(data["unit_amount"]),
        **born.empty("custom_unit_amount", "lookup_key", "nickname", "recurring"),
        **born.empty("tiers_mode", "transform_quantity"),
    }


def _currency(asked: Json, lines: list[Json]) -> str:
    found = {line["currency"] for line in lines}
    if asked.get("currency"):
        found.add(check_currency(asked["currency"]))
    if len(found) != 1:
        message = (
            "Say one currency: all line items must have the same."
            if found
            else ("Missing required param: currency.")
        )
        raise misasked(message, None if found else "parameter_missing", "currency")
    return str(found.pop())


def _born(till: Till, asked: Json, currency: str, total: int) -> Json:
    pays = asked["mode"] == "payment"
    return {
        "id": new_id("cs_test", 58),
        "object": "checkout.session",
        "adaptive_pricing": {"enabled": True},
        "amount_subtotal": total if pays else None,
        "amount_total": total if pays else None,
        "automatic_tax": {"enabled": False, **born.empty("liability", "provider", "status")},
        "cancel_url": asked.get("cancel_url"),
        "client_reference_id": asked.get("client_reference_id"),
        "collected_information": None,
        "created": till.seconds(),
        "currency": currency,
        "custom_fields": [],
        "custom_text": born.empty(
            "after_submit", "shipping_address", "submit", "terms_of_service_acceptance"
        ),
        "customer_creation": asked.get("customer_creation", "if_required"),
        "customer_email": asked.get("customer_email"),
        "expires_at": _expires(till, asked.get("expires_at")),
        "livemode": False,
        "locale": asked.get("locale"),
        "metadata": dict(asked.get("metadata") or {}),
        "mode": asked["mode"],
        "payment_method_collection": "always",
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "payment_status": "unpaid" if pays else "no_payment_required",
        "phone_number_collection": {"enabled": False},
        "shipping_options": [],
        "status": "open",
        "submit_type": asked.get("submit_type"),
        "success_url": asked["success_url"],
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page",
        "wallet_options": None,
        **born.empty("after_expiration", "allow_promotion_codes", "billing_address_collection"),
        **born.empty("client_secret", "consent", "consent_collection", "currency_conversion"),
        **born.empty("customer", "customer_account", "customer_details", "discounts", "invoice"),
        **born.empty("integration_identifier", "invoice_creation", "managed_payments"),
        **born.empty("origin_context", "payment_intent", "payment_link", "permissions"),
        **born.empty("payment_method_configuration_details", "recovered_from", "setup_intent"),
        **born.empty("saved_payment_method_options", "shipping_address_collection"),
        **born.empty("shipping_cost", "subscription"),
    }


def _expires(till: Till, asked: int | None) -> int:
    if asked is None:
        return int((till.now() + LONGEST).timestamp())
    ahead = asked - till.seconds()
    # The second of the clock may turn between the asking and the answering.
    if not SHORTEST.total_seconds() - 5 <= ahead <= LONGEST.total_seconds() + 5:
        message = "The `expires_at` must be between 30 minutes and 24 hours from now."
        raise misasked(message, None, "expires_at")
    return asked


def expire(till: Till, session: Json) -> Json:
    """Close the page for good."""
    if session["status"] != "open":
        message = (
            'Only Checkout Sessions with a status in ["open"] can be expired. '
            f"This Checkout Session has a status of {session['status']}."
        )
        raise wrong(message, param="session")
    session.update(status="expired", url=None)
    till.happened("checkout.session.expired", session)
    return session


def _expire_due(till: Till, session: Json) -> None:
    if session["status"] == "open":
        expire(till, session)
