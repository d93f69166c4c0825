"""Protection over the API: quoted, taken once, refused when it is not what was bought."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from portal import clock
from portal.db import every_shop, inside, session, writing
from portal.models import LedgerEntry, Order, PlanVersion, Protection, Shipment, Shop, Unit
from portal.models.cover_end import end_covers
from portal.models.cover_record import Year, keep_years, speak
from tests.api.client import Api, fields_of
from tests.conftest import bearer, shop_id

PLAN = {
    "currency": "EUR",
    "price": {"kind": "share", "basis_points": 150},
    "floor_minor": 98,
    "round_to_minor": 5,
    "order_limit_minor": 50_000,
    "excluded_categories": ["Gift cards"],
    "provider": {"name": "Fern & Fable"},
}
LINES = [
    {"sku": "MUG", "quantity": 2, "unit_price_minor": 1_450, "category": "Kitchen"},
    {"sku": "JUG", "quantity": 1, "unit_price_minor": 4_000, "discount_minor": 400},
]
CART = {"currency": "EUR", "country": "DE", "lines": LINES, "shipping_minor": 490}
PARCELS = [{"carrier": "UPS", "tracking_number": "1Z5R89W30310058842"}]
FIELDS = {
    *("quote", "premium_minor", "cover_minor", "limits", "facts", "text_version", "expires_at"),
}


def publish(slug: str = "fern", **more: Any) -> None:
    with inside(shop_id(slug)), writing():
        PlanVersion.publish({**PLAN, **more}, "operator", clock.now())


@pytest.fixture
def sold(api: Api) -> Api:
    """A shop that sells protection."""
    publish()
    return api


@pytest.fixture
def brisk(quick: Api) -> Api:
    """The same on SQLite alone."""
    publish()
    return quick


def quoted(api: Api, **more: Any) -> dict[str, Any]:
    response = api.post("/protection/quotes", {**CART, **more})
    assert response.status_code == 200, response.text
    return dict(response.json)


def document(quote: str | None, number: str = "1001", **more: Any) -> dict[str, Any]:
    lines = [{"title": each["sku"], **each} for each in LINES]
    return {
        "number": number,
        "currency": "EUR",
        "shipping_address": {"country": "DE"},
        "lines": lines,
        "shipping_minor": 490,
        "protection_quote": quote,
        "payment": {"provider": "stripe", "reference": "pi_1", "captured_minor": 7_090},
        **more,
    }


def ordered(api: Api, quote: str | None, **more: Any) -> dict[str, Any]:
    return api.order(**document(quote, **more))


def rows(model: type[Any]) -> int:
    with inside(shop_id("fern")):
        return int(session.scalar(select(func.count()).select_from(model)) or 0)


def test_a_quote_says_all_and_stores_nothing(sold: Api) -> None:
    found = quoted(sold)
    assert set(found) >= FIELDS
    assert (found["premium_minor"], found["cover_minor"]) == (100, 6_500)
    assert found["limits"] == {"order_minor": 6_500, "parcel_minor": 6_500}
    assert found["facts"]["why_not"] is None
    assert found["facts"]["claims"]["lost"] == {
        "wait_days": 7, "wait_days_abroad": 20, "last_days": 60,
    }  # fmt: skip
    assert {"title", "limit", "provider", "how_to_claim", "rights"} <= set(found["words"])
    assert rows(Protection) == rows(LedgerEntry) == rows(Order) == 0


def test_what_is_not_covered_is_not_offered(brisk: Api) -> None:
    cards = [{"sku": "CARD", "quantity": 1, "unit_price_minor": 5_000, "category": "gift cards"}]
    for more, why in (({"lines": cards}, "excluded"), ({"currency": "USD"}, "currency")):
        found = quoted(brisk, **more)
        assert (found["quote"], found["premium_minor"], found["words"]) == (None, 0, {})
        assert found["facts"]["why_not"] == why


def test_a_shop_without_a_plan_sells_none(api: Api) -> None:
    assert quoted(api)["facts"]["why_not"] == "no_plan"


def test_a_paid_quote_becomes_cover_once_and_is_booked(sold: Api) -> None:
    quote = quoted(sold)
    reply = ordered(sold, quote["quote"])
    assert reply["protection"] == {"status": "active", "reason": None}
    again = ordered(sold, quote["quote"])
    assert again["protection"] == reply["protection"]
    entries = sold.get(f"/ledger?order={reply['id']}").json["entries"]
    assert [e["amount_minor"] for e in entries if e["kind"] == "premium"] == [100]
    cover = sold.get(f"/orders/{reply['id']}/protection").json
    assert cover["cover_minor"] == 6_500
    assert cover["consent"]["text_version"] == quote["text_version"]
    assert cover["consent"]["preselected"] is False
    with inside(shop_id("fern")):
        assert sum(session.scalars(select(Unit.cover_minor))) == 100
    assert rows(Protection) == 1


def change(**more: Any) -> dict[str, Any]:
    return {"lines": [{"title": "x", **LINES[0], **more}, {"title": "y", **LINES[1]}]}


TAMPERED = [
    ("lines", change(unit_price_minor=14_500)),
    ("lines", change(quantity=3)),
    ("lines", change(sku="RING")),
    ("value", change(discount_minor=1)),
    ("value", {"discount_minor": 100}),
    ("categories", change(category="Jewellery")),
    ("country", {"shipping_address": {"country": "FR"}}),
    ("currency", {"currency": "USD"}),
]


@pytest.mark.parametrize(("reason", "changed"), TAMPERED)
def test_an_order_that_is_not_what_was_quoted_is_refused(
    brisk: Api, reason: str, changed: dict[str, Any]
) -> None:
    reply = ordered(brisk, quoted(brisk)["quote"], **changed)
    assert reply["protection"] == {"status": "refused", "reason": reason}
    kinds = {e["kind"] for e in brisk.get(f"/ledger?order={reply['id']}").json["entries"]}
    assert kinds == {"captured"}


def test_every_changed_character_of_a_quote_is_noticed(brisk: Api) -> None:
    quote = quoted(brisk)["quote"]
    for place in range(0, len(quote) - 1, 23):
        other = quote[:place] + ("A" if quote[place] != "A" else "B") + quote[place + 1 :]
        reply = ordered(brisk, other, number=f"{place}")
        assert reply["protection"] == {"status": "refused", "reason": "altered"}, place


def test_a_quote_covers_one_order_only(sold: Api) -> None:
    quote = quoted(sold)["quote"]
    ordered(sold, quote)
    second = ordered(sold, quote, number="1002")
    assert second["protection"] == {"status": "refused", "reason": "reused"}


def test_another_shops_quote_covers_nothing(brisk: Api, app: Flask) -> None:
    publish("volta")
    quote = quoted(Api(app, "volta"))["quote"]
    assert ordered(brisk, quote)["protection"]["reason"] == "other_shop"


@pytest.mark.parametrize(
    ("after", "status"),
    [(timedelta(hours=23, minutes=59), "active"), (timedelta(hours=24, minutes=1), "refused")],
)
def test_a_quote_lives_for_a_day(
    brisk: Api, monkeypatch: pytest.MonkeyPatch, after: timedelta, status: str
) -> None:
    quote, then = quoted(brisk)["quote"], clock.now() + after
    monkeypatch.setattr(clock, "now", lambda: then)
    reply = ordered(brisk, quote, placed_at=then.isoformat())
    assert reply["protection"]["status"] == status
    assert reply["protection"]["reason"] == (None if status == "active" else "stale")


def test_an_order_told_of_late_counts_by_when_it_was_placed(
    brisk: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    quote, placed = quoted(brisk)["quote"], clock.now() + timedelta(hours=1)
    monkeypatch.setattr(clock, "now", lambda: placed + timedelta(days=3))
    reply = ordered(brisk, quote, placed_at=placed.isoformat())
    assert reply["protection"]["status"] == "active"


def test_cover_bought_afterwards_is_taken_by_its_own_call(sold: Api) -> None:
    order = ordered(sold, None)
    assert order["protection"] == {"status": "none", "reason": None}
    path, quote = f"/orders/{order['id']}/protection", quoted(sold)["quote"]
    made = sold.post(path, {"quote": quote})
    assert (made.status_code, made.json["status"]) == (201, "active")
    assert sold.post(path, {"quote": quote}).status_code == 200
    second = sold.post(path, {"quote": quoted(sold)["quote"]})
    assert (second.status_code, second.json["reason"]) == (200, "covered_already")
    read = sold.get(f"/orders/{order['id']}").json
    assert read["protection"] == {"status": "active", "reason": None}
    assert sold.post("/orders/ord_none/protection", {"quote": quote}).status_code == 404


def test_what_is_on_its_way_cannot_be_covered_any_more(sold: Api) -> None:
    order = ordered(sold, None, shipments=PARCELS)
    with inside(shop_id("fern")), writing():
        session.scalars(select(Shipment)).one().status = "in_transit"
    reply = sold.patch(f"/orders/{order['id']}", {"protection_quote": quoted(sold)["quote"]})
    assert reply.json["protection"] == {"status": "refused", "reason": "on_its_way"}


def test_a_refusal_is_looked_at_again_when_the_lines_are_mended(brisk: Api) -> None:
    quote = quoted(brisk)["quote"]
    order = ordered(brisk, quote, **change(quantity=3))
    lines = document(quote)["lines"]
    mended = brisk.patch(f"/orders/{order['id']}", {"lines": lines}).json
    assert mended["protection"] == {"status": "active", "reason": None}


def test_a_claim_is_paid_at_most_what_is_left_of_the_cover(sold: Api) -> None:
    publish(order_limit_minor=4_000)
    order = ordered(sold, quoted(sold)["quote"], shipments=PARCELS)
    with inside(shop_id("fern")), writing():
        parcel = session.scalars(select(Shipment)).one()
        parcel.status, parcel.delivered_at = "delivered", clock.now()
    path, facts = f"/orders/{order['id']}/claims", []
    for sku in ("JUG", "MUG"):
        body = {"kind": "missing_item", "lines": [{"sku": sku, "quantity": 1}]}
        claim = sold.post(path, body).json
        facts.append(claim["decision"]["facts"])
        if claim["status"] == "open":
            sold.post(f"/claims/{claim['id']}/approval", {}, key=sku)
    assert [each["covered"] for each in facts] == [True, True]
    assert [each["cover_left_minor"] for each in facts] == [4_000, 400]


def test_what_the_plan_leaves_out_is_not_covered(brisk: Api) -> None:
    publish(excluded_skus=["MUG"])
    order = ordered(brisk, quoted(brisk)["quote"], shipments=PARCELS)
    with inside(shop_id("fern")), writing():
        parcel = session.scalars(select(Shipment)).one()
        parcel.status, parcel.delivered_at = "delivered", clock.now()
    body = {"kind": "missing_item", "lines": [{"sku": "MUG", "quantity": 1}]}
    claim = brisk.post(f"/orders/{order['id']}/claims", body).json
    assert claim["decision"]["facts"]["covered"] is False


def test_orders_that_race_for_one_quote_leave_one_covered(any_app: Flask) -> None:
    api = Api(any_app)
    publish()
    quote = quoted(api)["quote"]
    found: list[str] = []

    def post(number: str) -> None:
        with any_app.app_context():
            response = any_app.test_client().post(
                "/api/v1/orders", json=document(quote, number=number), headers=api.headers
            )
            found.append(response.json["protection"]["status"])
            session.remove()

    threads = [threading.Thread(target=post, args=(f"R{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == ["active", "refused", "refused", "refused"]


def publishable(app: Flask, *origins: str) -> dict[str, str]:
    return bearer("fern", "quote", origins=list(origins))


def test_a_publishable_token_works_in_its_pages_alone(brisk: Api, app: Flask) -> None:
    client, path = app.test_client(), "/api/v1/protection/quotes"
    headers = publishable(app, "https://shop.example")
    for origin, status in (("https://shop.example", 200), ("https://evil.example", 403), ("", 403)):
        sent = headers | ({"Origin": origin} if origin else {})
        answer = client.post(path, json=CART, headers=sent)
        assert answer.status_code == status
        shown = answer.headers.get("Access-Control-Allow-Origin")
        assert shown == (origin if status == 200 else None)
        allowed = client.options(path, headers={"Origin": origin}).headers
        assert ("Access-Control-Allow-Origin" in allowed) == (status == 200)
    other = {"Origin": "https://shop.example"} | headers
    assert client.get("/api/v1/orders", headers=other).status_code == 403


def test_a_publishable_token_that_asks_too_often_waits(
    brisk: Api, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = clock.now()
    monkeypatch.setattr(clock, "now", lambda: at)
    headers = publishable(app, "https://shop.example") | {"Origin": "https://shop.example"}
    client = app.test_client()
    answers = [
        client.post("/api/v1/protection/quotes", json=CART, headers=headers) for _ in range(64)
    ]
    last = answers[-1]
    assert last.status_code == 429
    assert int(last.headers["Retry-After"]) >= 1
    assert {each.status_code for each in answers[:60]} == {200}


@pytest.mark.parametrize(
    "words",
    [
        {"summary": "Decline and we are not responsible for lost parcels."},
        {"summary": "Without protection the parcel travels at your own risk."},
        {"summary": "You bear the risk of loss unless you add it."},
        {"summary": "Ohne Schutz haften wir nicht für Verlust."},
        {"title": "Parcel insurance"},
        {"title": "Paketversicherung"},
        {"summary": "We are n\u200bot respon\u200bsible without it."},
    ],
)
def test_words_that_move_the_risk_to_the_buyer_cannot_be_put_in_force(
    quick: Api, words: dict[str, str]
) -> None:
    refused = quick.put("/protection/plan", {**PLAN, "words": {"en": words}})
    assert refused.status_code == 422
    assert quick.get("/protection/plan").status_code == 404


def test_a_plan_is_put_in_force_in_versions(api: Api) -> None:
    assert api.put("/protection/plan", PLAN).json["version"] == 1
    dearer = {**PLAN, "price": {"kind": "flat", "amount_minor": 250}}
    assert api.put("/protection/plan", dearer).json["version"] == 2
    assert quoted(api)["premium_minor"] == 250
    wrong = api.put("/protection/plan", {**PLAN, "preselected": True})
    assert (wrong.status_code, fields_of(wrong)) == (422, {"preselected"})


def test_a_price_is_suggested_from_the_shops_own_losses(sold: Api) -> None:
    with inside(shop_id("fern")), writing():
        session.get_one(Shop, shop_id("fern")).currency = "EUR"
    for number in range(4):
        order = ordered(sold, None, number=f"L{number}", shipments=PARCELS)
    with inside(shop_id("fern")), writing():
        for parcel in session.scalars(select(Shipment)):
            parcel.status, parcel.delivered_at = "delivered", clock.now()
    body = {"kind": "damaged", "lines": [{"sku": "MUG", "quantity": 1}]}
    claim = sold.post(f"/orders/{order['id']}/claims", body).json
    assert sold.post(f"/claims/{claim['id']}/approval", {}, key="k").status_code == 200
    found = sold.get("/protection/suggestion?target=5000").json
    everything, lane = found["suggestions"]
    assert (everything["lane"], lane["lane"]) == ("all", "UPS to DE")
    assert (lane["parcels"], lane["value_minor"], lane["lost_minor"]) == (4, 26_000, 1_450)
    assert (lane["basis_points"], lane["is_capped"], lane["is_thin"]) == (300, True, True)
    assert any("1450 / 26000" in step for step in lane["arithmetic"])


def test_cover_ends_with_the_last_right_on_its_order(sold: Api) -> None:
    order = ordered(sold, quoted(sold)["quote"], shipments=PARCELS)
    with every_shop(), writing():
        assert end_covers(clock.now()) == 0
        session.get_one(Order, order["id"]).rights_end_at = clock.now()
    with every_shop(), writing():
        assert end_covers(clock.now()) == 1
        assert end_covers(clock.now()) == 0
    assert sold.get(f"/orders/{order['id']}").json["protection"]["status"] == "ended"


def test_the_last_year_is_told_only_where_the_shop_wants_and_had_enough_parcels(
    brisk: Api,
) -> None:
    def counted(parcels: int, *, speaks: bool = True) -> dict[str, Any]:
        with inside(shop_id("fern")), writing():
            shop = session.get_one(Shop, shop_id("fern"))
            speak(shop, speaks, "staff:1")
            keep_years([Year("EUR", parcels, 10, 10_000, 7_100)], clock.now())
        return quoted(brisk)

    before = quoted(brisk)
    assert before["words"]["record"] == ""
    assert counted(29)["words"]["record"] == ""
    told = counted(1_254)
    assert told["words"]["record"] == (
        "In the last 12 months, 0.8% of 1,254 covered parcels had a claim. "
        "Of every €1.00 paid for protection, €0.71 was paid out."
    )
    assert told["text_version"] != before["text_version"]
    assert counted(1_254, speaks=False)["words"]["record"] == ""
