"""The same POST under the same key is done once, and answered the same."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from portal import clock
from portal.api.endpoint import ENDPOINTS
from portal.api.once import forget_old
from portal.db import every_shop, inside, session, writing
from portal.models import IdempotencyKey, Order, Shipment
from tests.api.client import Api, fields_of
from tests.conftest import shop_id


def count(model: type) -> int:
    with inside(shop_id("fern")):
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_a_repeated_post_is_answered_with_the_first_answer(api: Api) -> None:
    first = api.post("/orders", {"number": "1"}, key="k1")
    api.order(number="1", phone="changed meanwhile")
    again = api.post("/orders", {"number": "1"}, key="k1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.data == first.data
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"


def test_spacing_and_order_of_a_body_do_not_make_it_another(api: Api) -> None:
    kind = {"content_type": "application/json"}
    api.post("/orders", data=b'{"number":"1","phone":"2"}', key="k", **kind)
    again = api.post("/orders", data=b'{ "phone": "2", "number": "1" }', key="k", **kind)
    assert again.headers["Idempotency-Replayed"] == "true"


def test_the_same_key_with_another_body_is_refused(api: Api) -> None:
    api.post("/orders", {"number": "1"}, key="k")
    response = api.post("/orders", {"number": "2"}, key="k")
    assert response.status_code == 422
    assert fields_of(response) == {"Idempotency-Key"}
    assert count(Order) == 1


def test_a_key_belongs_to_a_token_and_a_path(any_app: Flask) -> None:
    first, second = Api(any_app), Api(any_app)
    order = first.post("/orders", {"number": "1"}, key="k").json
    assert second.post("/orders", {"number": "2"}, key="k").status_code == 201
    parcel = {"carrier": "UPS", "tracking_number": "1Z"}
    added = first.post(f"/orders/{order['id']}/shipments", parcel, key="k")
    assert added.status_code == 201
    assert "Idempotency-Replayed" not in added.headers


def test_what_failed_may_be_tried_again_under_its_key(api: Api) -> None:
    order = api.order(number="1", currency="EUR")
    path = f"/orders/{order['id']}/shipments"
    sent = {"tracking_number": "1Z", "lines": [{"sku": "MUG", "quantity": 1}]}
    assert api.post(path, sent, key="k").status_code == 422
    assert (count(IdempotencyKey), count(Shipment)) == (0, 0)
    api.order(number="1", lines=[{"sku": "MUG", "quantity": 1}])
    assert api.post(path, sent, key="k").status_code == 201


def test_the_key_is_looked_at_after_who_asks(api: Api) -> None:
    api.post("/orders", {"number": "1"}, key="k")
    stranger = {"Authorization": "Bearer pl_nobody"}
    assert api.post("/orders", {"number": "1"}, key="k", headers=stranger).status_code == 401
    assert (
        api.post("/orders", {"number": "1"}, key="two words", headers=stranger).status_code == 401
    )


@pytest.mark.parametrize("key", ["two words", "ä", "x" * 256, " "])
def test_an_odd_key_is_refused(quick: Api, key: str) -> None:
    response = quick.post("/orders", {"number": "1"}, headers={"Idempotency-Key": key})
    assert response.status_code == 422
    assert fields_of(response) == {"Idempotency-Key"}


def test_an_answer_is_kept_for_thirty_days(api: Api) -> None:
    api.post("/orders", {"number": "1"}, key="k")
    with time_machine.travel(clock.now() + timedelta(days=29, hours=23)):
        assert api.post("/orders", {"number": "1"}, key="k").status_code == 201
    with time_machine.travel(clock.now() + timedelta(days=30, hours=1)):
        assert api.post("/orders", {"number": "1"}, key="k").status_code == 200


def test_old_answers_are_forgotten(api: Api) -> None:
    api.post("/orders", {"number": "1"}, key="k")
    with every_shop(), writing():
        assert forget_old(clock.now() + timedelta(days=29)) == 0
        assert forget_old(clock.now() + timedelta(days=31)) == 1


def test_an_answer_that_can_no_longer_be_read_is_not_done_again(api: Api) -> None:
    api.post("/orders", {"number": "1"}, key="k")
    with inside(shop_id("fern")), writing():
        session.scalars(select(IdempotencyKey)).one().body = "sealed with a key that is gone"
    assert api.post("/orders", {"number": "1"}, key="k").status_code == 409
    assert count(Order) == 1


def test_the_kept_answer_holds_no_readable_link(api: Api) -> None:
    order = api.post("/orders", {"number": "1"}, key="k").json
    with inside(shop_id("fern")):
        kept = session.scalars(select(IdempotencyKey)).one().body
    assert order["tracking_url"].rsplit("/", 1)[1] not in kept


def at_once(any_app: Flask, calls: list[tuple[Api, dict[str, object], str]]) -> list[object]:
    """Post all of these orders at the same moment; gives the responses."""
    answers: list[object] = []
    gate = threading.Barrier(len(calls))

    def run(caller: Api, body: dict[str, object], key: str) -> None:
        gate.wait()
        answers.append(caller.post("/orders", body, key=key))

    threads = [threading.Thread(target=run, args=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_of_many_posts_at_once_under_one_key_one_is_done(any_app: Flask) -> None:
    caller = Api(any_app)
    answers = at_once(any_app, [(caller, {"number": "1"}, "k")] * 6)
    told = [(each.status_code, each.json["id"]) for each in answers]
    assert set(told) == {(201, told[0][1])}
    assert sum("Idempotency-Replayed" not in each.headers for each in answers) == 1
    assert count(Order) == 1


def test_of_many_posts_of_a_new_order_at_once_one_makes_it(any_app: Flask) -> None:
    caller = Api(any_app)
    body = {
        "number": "#1001",
        "email": "ann@example.com",
        "shipments": [{"carrier": "UPS", "tracking_number": "1Z5R89W30310058842"}],
    }
    answers = at_once(any_app, [(caller, body, "")] * 6)
    assert sorted(each.status_code for each in answers) == [200] * 5 + [201]
    assert len({each.json["id"] for each in answers}) == 1
    assert (count(Order), count(Shipment)) == (1, 1)


def test_every_call_that_moves_money_needs_a_key(quick: Api) -> None:
    for made in ENDPOINTS:
        if made.needs_key:
            path = made.path.replace("{", "").replace("}", "")
            assert quick.call(made.method, path, {}).status_code == 428, made.path
            assert made.method == "POST"
