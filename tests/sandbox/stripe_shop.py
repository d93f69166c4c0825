"""A shop at the stand-in's Stripe: payments, cards and pages, made in one line."""

from __future__ import annotations

from typing import Any

import stripe

NO_REDIRECTS = {"enabled": True, "allow_redirects": "never"}


def pay(till: stripe.StripeClient, amount: int = 1000, currency: str = "eur", **more: Any) -> Any:
    """A payment that was confirmed, with a good card unless told otherwise."""
    wanted = {
        "amount": amount,
        "currency": currency,
        "payment_method": "pm_card_visa",
        "confirm": True,
        "automatic_payment_methods": NO_REDIRECTS,
    }
    return till.v1.payment_intents.create({**wanted, **more})


def session(till: stripe.StripeClient, **more: Any) -> Any:
    """An open checkout page for a cover of 2.50."""
    price = {"currency": "eur", "unit_amount": 250, "product_data": {"name": "Cover"}}
    wanted = {
        "mode": "payment",
        "line_items": [{"price_data": price, "quantity": 1}],
        "success_url": "http://127.0.0.1:9/done?s={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://127.0.0.1:9/back",
    }
    wanted.update(more)
    return till.v1.checkout.sessions.create({k: v for k, v in wanted.items() if v is not None})


def kinds(till: stripe.StripeClient) -> list[str]:
    """The kinds of all events so far, oldest first."""
    return [event.type for event in reversed(till.v1.events.list({"limit": 100}).data)]
