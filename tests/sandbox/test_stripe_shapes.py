"""Our objects have the fields and JSON types of Stripe's own samples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import stripe

from tests.sandbox.stripe_shop import NO_REDIRECTS, pay, session

CLASSES = {
    "payment_intent": stripe.PaymentIntent,
    "charge": stripe.Charge,
    "refund": stripe.Refund,
    "checkout.session": stripe.checkout.Session,
    "setup_intent": stripe.SetupIntent,
    "customer": stripe.Customer,
    "payment_method": stripe.PaymentMethod,
    "dispute": stripe.Dispute,
    "event": stripe.Event,
    "webhook_endpoint": stripe.WebhookEndpoint,
    "item": stripe.LineItem,
    "balance_transaction": stripe.BalanceTransaction,
    "price": stripe.Price,
}
# Shown only where asked for (`expand`), since the API version 2022-11-15.
ON_DEMAND = {("charge", "refunds")}
FREE = {"metadata", "data", "payment_method_options", "previous_attributes", "evidence"}


@pytest.fixture(scope="module")
def samples(shared_data: Path) -> dict[str, Any]:
    found = json.loads((shared_data / "stripe" / "fixtures3.json").read_text())
    return found["resources"]


def differences(ours: Any, sample: Any, path: str, known: set[str] = frozenset()) -> list[str]:
    """Fields that are missing, that nobody knows, or of another JSON type."""
    if ours is None or sample is None:
        return []
    if type(ours) is not type(sample):
        return [f"{path} is {type(ours).__name__}, sampled {type(sample).__name__}"]
    if not isinstance(ours, dict) or path.rpartition(".")[2] in FREE:
        return []
    found = [f"{path}.{name} is unknown" for name in set(ours) - set(sample) - known]
    found += [
        f"{path}.{name} is missing"
        for name in set(sample) - set(ours)
        if "." not in path and (path, name) not in ON_DEMAND
    ]
    for name in set(ours) & set(sample):
        found += differences(ours[name], sample[name], f"{path}.{name}", NESTED.get(name, set()))
    return found


# Newer than the samples, or of other kinds of the same thing; all of them in the client's types.
NESTED = {
    "card": {"capture_before", "funding"},
    "destination_details": {"card"},
    "automatic_payment_methods": {"allow_redirects"},
}


def compare(found: Any, samples: dict[str, Any]) -> list[str]:
    kind = found.object
    known = set(CLASSES[kind].__annotations__)
    return differences(json.loads(str(found)), samples[kind], kind, known)


def test_what_a_sale_makes_has_stripes_shape(till, samples):
    paid = pay(till, payment_method="pm_card_createDisputeProductNotReceived")
    charge = till.v1.charges.retrieve(paid.latest_charge)
    entry = till.v1.balance_transactions.retrieve(charge.balance_transaction)
    dispute = till.v1.disputes.list({"payment_intent": paid.id}).data[0]
    held = pay(till, capture_method="manual")
    back = till.v1.refunds.create({"payment_intent": pay(till).id, "amount": 300})
    event = till.v1.events.list({"limit": 1}).data[0]
    found = [paid, charge, entry, dispute, held, back, event]
    found.append(till.v1.charges.retrieve(held.latest_charge))
    assert [line for each in found for line in compare(each, samples)] == []


def test_what_checkout_and_saving_make_has_stripes_shape(till, samples):
    page = session(till)
    line = till.v1.checkout.sessions.line_items.list(page.id).data[0]
    customer = till.v1.customers.create({"email": "ada@example.com"})
    setup = till.v1.setup_intents.create(
        {
            "customer": customer.id,
            "payment_method": "pm_card_visa",
            "confirm": True,
            "automatic_payment_methods": NO_REDIRECTS,
        }
    )
    card = till.v1.payment_methods.retrieve(setup.payment_method)
    hook = till.v1.webhook_endpoints.create(
        {"url": "http://127.0.0.1:9/x", "enabled_events": ["*"]}
    )
    found = [page, line, line.price, customer, setup, card, hook]
    assert [line for each in found for line in compare(each, samples)] == []


def test_every_field_of_the_samples_class_can_be_read_by_the_client(till):
    paid = pay(till)
    assert paid.to_dict()["metadata"] == {}
    assert (paid.status, paid.amount_received, paid.livemode) == ("succeeded", 1000, False)
    assert paid.id.startswith("pi_")
    assert paid.latest_charge.startswith("ch_")
    assert paid.payment_method.startswith("pm_")
