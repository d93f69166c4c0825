"""Returns over the API: asked, decided, received, settled, called off."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from portal import clock
from portal.db import inside, writing
from portal.models import payout
from tests.api.client import Api, fields_of
from tests.conftest import shop_id
from tests.models.bought import PAID_MINOR, bought, sold

AMOUNTS = {
    *("items_minor", "tax_minor", "shipping_minor", "fee_minor"),
    *("label_minor", "bonus_minor", "total_minor"),
}


def delivered(number: str = "1001", **more: Any) -> str:
    return bought(number=number, now=clock.now(), **more)


def line(quantity: int = 1, reason: str = "too_small", **more: Any) -> dict[str, Any]:
    return {"sku": "TEE-M", "quantity": quantity, "reason": reason, **more}


def asked(api: Api, order_id: str, *lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    response = api.post(f"/orders/{order_id}/returns", {"lines": list(lines or [line()]), **more})
    assert response.status_code == 201, response.text
    return dict(response.json)


def received(api: Api, return_id: str, *counted: dict[str, Any]) -> dict[str, Any]:
    found = list(counted) or [{"sku": "TEE-M", "quantity": 1, "condition": "A", "accept": True}]
    response = api.post(f"/returns/{return_id}/receipt", {"lines": found})
    assert response.status_code == 200, response.text
    return dict(response.json)


def settle(api: Api, return_id: str, key: str = "k-1", **body: Any) -> Any:
    return api.post(f"/returns/{return_id}/resolution", body, key=key)


def refunded(settlement_id: str, reference: str = "re_1", slug: str = "fern") -> bool:
    """As the job reports it."""
    with inside(shop_id(slug)), writing():
        begun = payout.begin(settlement_id, clock.now())
        return begun is not None and payout.succeeded(settlement_id, reference, clock.now())


def sums(api: Api, order_id: str) -> dict[str, int]:
    return dict(api.get(f"/ledger?order={order_id}").json["sums"])


# --- quotes -------------------------------------------------------------------------------------


def test_a_quote_says_what_each_resolution_pays_and_why(api: Api) -> None:
    reply = api.post(f"/orders/{delivered()}/returns/quote", {"lines": [line(2)]}).json
    [quoted] = reply["lines"]
    assert (quoted["eligible"], quoted["outcome"]) == (True, "approve")
    assert quoted["decision"]["policy_version"] == 1
    assert quoted["decision"]["rule"] == "approve"
    assert {each["code"] for each in quoted["methods"]} >= {"label", "qr"}
    assert set(quoted["resolutions"]["refund"]) == AMOUNTS
    assert quoted["resolutions"]["refund"]["total_minor"] == 2 * 2_000 - 200
    assert reply["totals"]["refund"] == quoted["resolutions"]["refund"]
    assert reply["currency"] == "USD"


def test_a_quote_without_lines_is_about_everything(quick: Api) -> None:
    reply = quick.post(f"/orders/{delivered()}/returns/quote", {}).json
    assert [(each["sku"], each["quantity"]) for each in reply["lines"]] == [
        ("TEE-M", 3),
        ("MUG", 1),
    ]


def test_what_is_not_delivered_is_declined_and_still_has_amounts(quick: Api) -> None:
    sent = {"sku": "TEE-M", "title": "Shirt", "quantity": 1, "unit_price_minor": 900}
    order = quick.order(lines=[sent], currency="EUR")
    [quoted] = quick.post(f"/orders/{order['id']}/returns/quote", {"lines": [line()]}).json["lines"]
    assert (quoted["eligible"], quoted["decision"]["because"]) == (False, "not_delivered_yet")
    assert quoted["resolutions"]["refund"]["total_minor"] == 900
    assert quoted["decision"]["would_change"]


def test_a_quote_stores_nothing(quick: Api) -> None:
    order_id = delivered()
    before = quick.get(f"/orders/{order_id}").json
    for key in ("same", "same"):
        assert quick.post(f"/orders/{order_id}/returns/quote", {}, key=key).status_code == 200
    assert quick.get(f"/orders/{order_id}").json == before


def test_no_fee_is_charged_for_faulty_goods(quick: Api) -> None:
    order_id = delivered()
    sent = {"lines": [line(reason="faulty"), line(reason="stopped_working")]}
    for quoted in quick.post(f"/orders/{order_id}/returns/quote", sent).json["lines"]:
        for amounts in quoted["resolutions"].values():
            assert amounts["fee_minor"] == amounts["label_minor"] == 0


# --- asking -------------------------------------------------------------------------------------


def test_a_return_within_the_rules_is_approved_at_once(api: Api) -> None:
    order_id = delivered()
    made = asked(api, order_id, line(2))
    assert (made["status"], made["number"]) == ("approved", "1001-R1")
    assert made["url"].startswith("http://fern.localhost:8000/r/")
    assert made["label"]["status"] == "wanted"
    [own] = made["lines"]
    assert (own["reception"], own["acceptance"], own["outcome"]) == (
        *("awaited", "pending"),
        "approve",
    )
    assert made["settlement"]["refund"]["total_minor"] == 3_800
    assert made["settlement"]["status"] is None
    assert api.get(f"/returns/{made['id']}").json == made


def test_what_the_rules_leave_open_waits_for_staff(quick: Api) -> None:
    made = asked(quick, delivered(), line(reason="arrived_broken"))
    assert (made["status"], made["lines"][0]["decision"]["because"]) == (
        "requested",
        "photo_missing",
    )
    approved = quick.post(f"/returns/{made['id']}/approval", {"note": "Sorry!"})
    assert (approved.status_code, approved.json["status"]) == (200, "approved")
    again = quick.post(f"/returns/{made['id']}/approval", {})
    assert again.status_code == 409
    assert "moment ago" in again.json["detail"]


def test_what_is_declined_can_be_approved_with_a_reason_alone(quick: Api) -> None:
    order_id = delivered(lines=[{**_shirt(), "final_sale": True}])
    made = asked(quick, order_id)
    assert (made["status"], made["outcome"]) == ("declined", "decline")
    path = f"/returns/{made['id']}/approval"
    assert quick.post(path, {}).status_code == 409
    assert quick.post(path, {"override_reason": "A regular."}).json["status"] == "approved"


def _shirt() -> dict[str, Any]:
    return {
        "sku": "TEE-M",
        "product": "tee",
        "title": "Shirt",
        "quantity": 3,
        "unit_price_minor": 2_000,
    }


def test_a_rejected_return_frees_its_units(api: Api) -> None:
    order_id = delivered()
    made = asked(api, order_id, line(3, "other"))
    taken = api.post(f"/orders/{order_id}/returns", {"lines": [line()]})
    assert taken.status_code == 409
    rejected = api.post(f"/returns/{made['id']}/rejection", {"code": "worn", "note": "Worn."})
    assert rejected.json["status"] == "declined"
    assert asked(api, order_id, line(3))["number"] == "1001-R2"


def test_a_cancelled_return_frees_its_units_and_its_label(quick: Api) -> None:
    order_id = delivered()
    made = asked(quick, order_id, line(3))
    done = quick.post(f"/returns/{made['id']}/cancellation", {"reason": "Kept it."}).json
    assert (done["status"], done["label"]["status"]) == ("cancelled", "voided")
    assert quick.post(f"/returns/{made['id']}/cancellation", {}).status_code == 409
    assert asked(quick, order_id, line(3))["status"] == "approved"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"price_minor": 1}, "lines.0.price_minor"),
        ({"fee_minor": 0}, "lines.0.fee_minor"),
        ({"status": "received"}, "lines.0.status"),
        ({"quantity": 0}, "lines.0.quantity"),
        ({"quantity": 4}, "lines.0.quantity"),
        ({"quantity": True}, "lines.0.quantity"),
        ({"sku": "NONE"}, "lines.0.sku"),
        ({"reason": "because"}, "lines.0.reason"),
        ({"detail": "colour"}, "lines.0"),
        ({"resolution": "gold"}, "lines.0.resolution"),
        ({"resolution": "exchange"}, "lines.0.exchange_sku"),
        ({"resolution": "exchange", "exchange_sku": "NONE"}, "lines.0.exchange_sku"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_field(
    quick: Api, change: dict[str, Any], field: str
) -> None:
    order_id = delivered()
    for path in (f"/orders/{order_id}/returns/quote", f"/orders/{order_id}/returns"):
        if path.endswith("quote") and change.get("resolution") == "exchange":
            continue
        response = quick.post(path, {"lines": [line() | change]})
        assert response.status_code == 422, response.text
        assert field in fields_of(response), response.json["errors"]
    assert quick.get(f"/orders/{order_id}").json["refundable_minor"] == PAID_MINOR


def test_a_return_says_neither_price_nor_state(quick: Api) -> None:
    sent = {"lines": [line()], "status": "settled", "refund_minor": 99, "received": True}
    response = quick.post(f"/orders/{delivered()}/returns", sent)
    assert fields_of(response) == {"status", "refund_minor", "received"}


def test_one_article_can_come_back_for_several_reasons(quick: Api) -> None:
    made = asked(quick, delivered(), line(1), line(2, "style", detail="colour"))
    assert [each["quantity"] for each in made["lines"]] == [1, 2]
    assert made["settlement"]["refund"]["total_minor"] == 5_700


def test_a_key_makes_one_return(api: Api) -> None:
    path = f"/orders/{delivered()}/returns"
    first = api.post(path, {"lines": [line()]}, key="once")
    again = api.post(path, {"lines": [line()]}, key="once")
    assert again.json == first.json
    assert again.headers["Idempotency-Replayed"] == "true"
    assert api.post(path, {"lines": [line(2)]}, key="once").status_code == 422


# --- receiving and settling ---------------------------------------------------------------------


def test_what_arrived_and_passed_is_refunded_and_nothing_more(api: Api) -> None:
    order_id = delivered()
    made = asked(api, order_id, line(3))
    back = received(api, made["id"], {"sku": "TEE-M", "quantity": 2, "condition": "A"})
    assert back["status"] == "checked"
    assert [unit["reception"] for unit in back["lines"][0]["units"]] == [
        *("received", "received"),
        "not_in_parcel",
    ]
    settled = settle(api, made["id"])
    assert settled.status_code == 202
    [row] = settled.json["settlement"]["rows"]
    assert (row["kind"], row["status"], row["amount_minor"]) == ("refund", "wanted", 3_800)
    assert sums(api, order_id)["pending_minor"] == 3_800
    assert refunded(row["id"])
    done = api.get(f"/returns/{made['id']}").json
    assert (done["status"], done["settlement"]["status"]) == ("settled", "done")
    order = api.get(f"/orders/{order_id}").json
    assert (order["refunded_minor"], order["refundable_minor"]) == (3_800, PAID_MINOR - 3_800)


def test_settling_needs_a_key_and_happens_once(api: Api) -> None:
    made = asked(api, delivered())
    received(api, made["id"])
    assert settle(api, made["id"], key="").status_code == 428
    first = settle(api, made["id"])
    assert settle(api, made["id"]).json == first.json
    other = settle(api, made["id"], key="k-2")
    assert other.status_code == 409
    assert "settled already" in other.json["detail"]


def test_nothing_is_settled_before_it_was_accepted(quick: Api) -> None:
    made = asked(quick, delivered())
    assert settle(quick, made["id"]).status_code == 409
    received(quick, made["id"], {"sku": "TEE-M", "quantity": 1, "condition": "D"})
    assert settle(quick, made["id"]).status_code == 409
    received(quick, made["id"], {"sku": "TEE-M", "quantity": 1, "accept": True})
    assert settle(quick, made["id"]).status_code == 202


def test_a_rejected_unit_is_paid_nothing(quick: Api) -> None:
    order_id = delivered()
    made = asked(quick, order_id, line(2))
    counted = {"sku": "TEE-M", "quantity": 1}
    received(quick, made["id"], {**counted, "accept": True}, {**counted, "accept": False})
    [row] = settle(quick, made["id"]).json["settlement"]["rows"]
    assert row["amount_minor"] == 1_900


def test_a_return_of_nothing_acceptable_ends_without_money(quick: Api) -> None:
    made = asked(quick, delivered())
    received(quick, made["id"], {"sku": "TEE-M", "quantity": 0})
    done = settle(quick, made["id"])
    assert (done.status_code, done.json["status"]) == (200, "settled")
    assert done.json["settlement"]["rows"] == []


def test_more_than_was_announced_is_not_counted(quick: Api) -> None:
    made = asked(quick, delivered())
    for sku, field in (("TEE-M", "lines.0.quantity"), ("MUG", "lines.0.sku")):
        response = quick.post(
            f"/returns/{made['id']}/receipt", {"lines": [{"sku": sku, "quantity": 2}]}
        )
        assert (response.status_code, fields_of(response)) == (422, {field})
    assert quick.get(f"/returns/{made['id']}").json["status"] == "approved"


def test_staff_may_pay_less_with_a_reason_and_never_more(quick: Api) -> None:
    made = asked(quick, delivered())
    received(quick, made["id"])
    wished = {"sku": "TEE-M", "amount_minor": 1_901}
    assert settle(quick, made["id"], lines=[wished]).status_code == 409
    done = settle(quick, made["id"], lines=[wished | {"amount_minor": 1_000}], reason="Worn.")
    amounts = done.json["settlement"]["refund"]
    assert (amounts["fee_minor"], amounts["total_minor"]) == (900, 1_000)


def test_store_credit_is_given_at_once(api: Api) -> None:
    order_id = delivered()
    made = asked(api, order_id, line(resolution="store_credit"))
    received(api, made["id"])
    done = settle(api, made["id"])
    assert (done.status_code, done.json["status"]) == (200, "settled")
    customer = api.get(f"/orders/{order_id}").json["customer_id"]
    credit = api.get(f"/customers/{customer}/credit").json
    assert (credit["balance_minor"], credit["currency"]) == (1_900, "USD")
    assert [entry["amount_minor"] for entry in credit["entries"]] == [1_900]
    ledger = sums(api, order_id)
    assert (ledger["credited_minor"], ledger["refunded_minor"]) == (1_900, 0)
    assert ledger["refundable_minor"] == PAID_MINOR - 1_900


def test_a_refund_whose_payment_nobody_knows_fails_and_stays_open(quick: Api) -> None:
    order_id = delivered(payment={"captured_minor": 0})
    made = asked(quick, order_id)
    received(quick, made["id"])
    done = settle(quick, made["id"]).json
    assert (done["status"], done["settlement"]["status"]) == ("checked", "failed")
    assert done["settlement"]["rows"][0]["problem"]
    assert done["lines"][0]["acceptance"] == "accepted"
    paid = {"provider": "stripe", "reference": "pi_late", "captured_minor": PAID_MINOR}
    assert quick.patch(f"/orders/{order_id}", {"payment": paid}).status_code == 200
    again = settle(quick, made["id"], key="k-2")
    assert again.status_code == 202
    assert [row["amount_minor"] for row in again.json["settlement"]["rows"]] == [1_900]


def test_a_refund_that_fails_can_become_credit(quick: Api) -> None:
    order_id = delivered()
    made = asked(quick, order_id)
    received(quick, made["id"])
    [row] = settle(quick, made["id"]).json["settlement"]["rows"]
    with inside(shop_id("fern")), writing():
        assert payout.begin(row["id"], clock.now())
        assert payout.failed(row["id"], "The card was closed.", clock.now())
    assert sums(quick, order_id)["refundable_minor"] == PAID_MINOR
    wished = [{"sku": "TEE-M", "resolution": "store_credit"}]
    done = settle(quick, made["id"], key="k-2", lines=wished).json
    assert (done["status"], done["settlement"]["status"]) == ("settled", "done")
    assert sums(quick, order_id)["credited_minor"] == 1_900
    assert not refunded(row["id"])


# --- exchanges ----------------------------------------------------------------------------------


def exchange(sku: str = "TEE-L", **more: Any) -> dict[str, Any]:
    return line(resolution="exchange", exchange_sku=sku, **more)


def test_another_size_is_kept_and_ordered_for_what_was_paid(api: Api) -> None:
    sold()
    order_id = delivered()
    made = asked(api, order_id, exchange())
    assert [each["status"] for each in made["exchanges"]] == ["reserved"]
    assert api.get("/variants/TEE-L").json["available"] == 0
    received(api, made["id"])
    done = settle(api, made["id"])
    assert (done.status_code, done.json["status"]) == (200, "settled")
    [kept] = done.json["exchanges"]
    assert (kept["status"], kept["due_minor"]) == ("ordered", 0)
    new = api.get(f"/orders/{kept['order_id']}").json
    assert (new["number"], new["captured_minor"]) == ("1001-X1", 1_900)
    assert (new["lines"][0]["sku"], new["refundable_minor"]) == ("TEE-L", 1_900)
    assert sums(api, order_id)["refundable_minor"] == PAID_MINOR - 1_900
    assert api.get("/variants/TEE-L").json["available"] == 0


def test_a_dearer_article_waits_for_its_difference(quick: Api) -> None:
    sold(sku="COAT", product="coat", price_minor=5_000)
    order_id = delivered()
    made = asked(quick, order_id, exchange("COAT"))
    received(quick, made["id"])
    waits = settle(quick, made["id"])
    assert (waits.status_code, waits.json["status"]) == (202, "checked")
    rows = {row["kind"]: row for row in waits.json["settlement"]["rows"]}
    assert (rows["exchange"]["amount_minor"], rows["top_up"]["amount_minor"]) == (1_900, 3_100)
    with inside(shop_id("fern")), writing():
        assert payout.top_up_paid(rows["top_up"]["id"], "pi_more", clock.now())
    with inside(shop_id("fern")), writing():
        assert not payout.top_up_paid(rows["top_up"]["id"], "pi_more", clock.now())
    done = quick.get(f"/returns/{made['id']}").json
    assert done["status"] == "settled"
    new = quick.get(f"/orders/{done['exchanges'][0]['order_id']}").json
    assert (new["captured_minor"], new["refundable_minor"]) == (5_000, 5_000)


def test_what_a_cheaper_article_leaves_is_paid_back(quick: Api) -> None:
    sold(sku="CAP", product="cap", price_minor=1_500)
    order_id = delivered()
    made = asked(quick, order_id, exchange("CAP"))
    received(quick, made["id"])
    rows = {row["kind"]: row for row in settle(quick, made["id"]).json["settlement"]["rows"]}
    assert (rows["exchange"]["amount_minor"], rows["refund"]["amount_minor"]) == (1_500, 400)
    assert refunded(rows["refund"]["id"])
    assert quick.get(f"/returns/{made['id']}").json["status"] == "settled"
    told = sums(quick, order_id)
    assert (told["exchanged_minor"], told["refunded_minor"]) == (1_500, 400)


def test_something_else_may_be_chosen_while_the_difference_is_not_paid(quick: Api) -> None:
    sold(sku="COAT", product="coat", price_minor=5_000)
    made = asked(quick, delivered(), exchange("COAT"))
    received(quick, made["id"])
    settle(quick, made["id"])
    wished = [{"sku": "TEE-M", "resolution": "refund"}]
    done = settle(quick, made["id"], key="k-2", lines=wished).json
    assert [row["kind"] for row in done["settlement"]["rows"]] == ["refund"]
    assert quick.get("/variants/COAT").json["available"] == 1


@pytest.mark.parametrize(
    ("fallback", "resolution", "state"),
    [
        ("", "refund", "fallen_back"),
        ("store_credit", "store_credit", "fallen_back"),
        ("wait", "exchange", "waiting"),
        ("variant:TEE-XL", "exchange", "reserved"),
        ("variant:NONE", "refund", "fallen_back"),
    ],
)
def test_where_the_other_is_sold_out_the_choice_made_before_counts(
    quick: Api, fallback: str, resolution: str, state: str
) -> None:
    sold(available=0)
    sold(sku="TEE-XL")
    made = asked(quick, delivered(), exchange(fallback=fallback))
    assert made["lines"][0]["resolution"] == resolution
    assert made["exchanges"][0]["status"] == state


def test_a_cancelled_exchange_puts_the_piece_back_once(quick: Api) -> None:
    sold()
    made = asked(quick, delivered(), exchange())
    for _ in range(2):
        quick.post(f"/returns/{made['id']}/cancellation", {})
    assert quick.get("/variants/TEE-L").json["available"] == 1


def test_what_is_put_back_on_the_shelf_counts_once(quick: Api) -> None:
    sold(sku="TEE-M", available=5)
    made = asked(quick, delivered())
    for _ in range(2):
        counted = {"sku": "TEE-M", "quantity": 1, "condition": "A", "disposition": "restock"}
        quick.post(f"/returns/{made['id']}/receipt", {"lines": [counted]})
    assert quick.get("/variants/TEE-M").json["available"] == 6


# --- who may ------------------------------------------------------------------------------------


@pytest.mark.parametrize("act", ["approval", "rejection", "receipt", "resolution"])
def test_who_may_ask_may_not_decide(app: Flask, act: str) -> None:
    machine = Api(app, "fern", "returns")
    made = asked(machine, delivered())
    body = {"rejection": {"code": "no"}, "receipt": {"lines": [{"sku": "A", "quantity": 1}]}}
    response = machine.post(f"/returns/{made['id']}/{act}", body.get(act, {}), key="k")
    assert response.status_code == 403


def test_another_shop_sees_no_return_no_ledger_and_no_credit(api: Api, any_app: Flask) -> None:
    order_id = delivered()
    made = asked(api, order_id, line(resolution="store_credit"))
    customer = api.get(f"/orders/{order_id}").json["customer_id"]
    charlie = Api(any_app, "volta")
    for path in (f"/returns/{made['id']}", f"/ledger?order={order_id}"):
        assert charlie.get(path).status_code == 404
    assert charlie.get(f"/customers/{customer}/credit").status_code == 404
    assert charlie.post(f"/orders/{order_id}/returns", {"lines": [line()]}).status_code == 404
    for act in ("approval", "cancellation"):
        assert charlie.post(f"/returns/{made['id']}/{act}", {}).status_code == 404
    assert settle(charlie, made["id"]).status_code == 404
    assert api.get(f"/returns/{made['id']}").json == made


# --- decisions ----------------------------------------------------------------------------------


def test_posted_facts_are_decided_by_the_live_policy_or_a_posted_one(quick: Api) -> None:
    facts = {
        "ordered_at": "2026-05-01T09:00:00Z",
        "delivered_at": "2026-05-04T09:00:00Z",
        "reason": "too_small",
    }
    sent = {"facts": facts, "at": "2026-06-03T09:00:00Z"}
    assert quick.post("/policy/decisions", sent).json["outcome"] == "approve"
    late = quick.post("/policy/decisions", sent | {"at": "2026-06-04T09:00:00Z"}).json
    assert (late["outcome"], late["because"]) == ("decline", "window_closed")
    closed = {"version": 1, "rules": [{"id": "no", "kind": "decline"}]}
    assert quick.post("/policy/decisions", sent | {"policy": closed}).json["rule"] == "no"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"facts": {}}, "facts.ordered_at"),
        ({"facts": {"ordered_at": "2026-05-01"}}, "facts.ordered_at"),
        ({"policy": {"version": 1, "rules": [{"id": "x", "kind": "magic"}]}}, "rules.0.kind"),
        ({"at": "2026-05-01T09:00:00"}, "at"),
    ],
)
def test_facts_and_policies_that_cannot_be_read_are_named(
    quick: Api, change: dict[str, Any], field: str
) -> None:
    sent = {"facts": {"ordered_at": "2026-05-01T09:00:00Z"}}
    response = quick.post("/policy/decisions", sent | change)
    assert (response.status_code, fields_of(response)) == (422, {field})


def test_the_facts_of_a_receipt_give_its_decision_again(quick: Api) -> None:
    quoted = quick.post(f"/orders/{delivered()}/returns/quote", {}).json["lines"]
    assert quoted
    for line in quoted:
        receipt = line["decision"]
        again = quick.post("/policy/decisions", {"facts": receipt["facts"]})
        assert (again.status_code, again.json) == (200, receipt)
