"""Who gets in: for every endpoint, the token, its scope, its shop, and nobody else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import Context

import pytest
from flask import Flask

from portal import db, turns
from portal.api.endpoint import Endpoint
from portal.db import inside, session, writing
from portal.models import ApiToken
from portal.models.token import SCOPES
from tests.api.client import PREFIX, Api, check, fields_of
from tests.api.things import (
    ALL,
    IDS,
    WITH_ID,
    WITHOUT_ID,
    address,
    ask,
    name_in,
    named,
    unknown_id,
)
from tests.conftest import shop_id


def test_every_scope_is_known_and_every_kind_of_id_can_be_made() -> None:
    for made in ALL:
        assert set(made.scope.split()) <= set(SCOPES), named(made)
    for made in WITH_ID:
        assert made.path.count("{") == 1, named(made)
        assert name_in(made) in IDS, f"say in tests/api/things.py how to make a {name_in(made)}"


@pytest.mark.parametrize("scope", SCOPES)
def test_a_token_opens_what_its_scope_names_and_nothing_else(app: Flask, scope: str) -> None:
    caller, at_home = Api(app, "fern", scope), {"Origin": "http://fern.localhost:8000"}
    for made in ALL:
        refused = ask(caller, made, unknown_id(made), headers=at_home).status_code == 403
        assert refused == (scope not in made.scope.split()), named(made)


def test_the_star_opens_everything(quick: Api) -> None:
    for made in ALL:
        assert ask(quick, made, unknown_id(made)).status_code not in {401, 403}, named(made)


@pytest.mark.parametrize(
    "authorization",
    [
        *("", "Bearer", "Bearer ", "Bearer pl_unknown", "Basic cGw6cGw=", "pl_unknown"),
        *("Bearer two words", "Bearer ä", "Bearer " + "x" * 5000, "Bearer pl_a, Bearer pl_b"),
    ],
)
def test_without_a_token_we_know_there_is_nothing(quick: Api, authorization: str) -> None:
    for made in ALL:
        response = ask(quick, made, unknown_id(made), headers={"Authorization": authorization})
        assert response.status_code == 401, named(made)
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_revoked_token_opens_nothing(api: Api) -> None:
    with inside(shop_id("fern")), writing():
        token = session.query(ApiToken).one()
        token.revoked_at = token.created_at
    for made in ALL:
        assert ask(api, made, unknown_id(made)).status_code == 401, named(made)


@pytest.mark.parametrize("name", ["token", "access_token", "api_key", "KEY"])
def test_a_key_in_the_address_is_refused(quick: Api, name: str) -> None:
    for made in ALL:
        response = ask(quick, made, unknown_id(made), query_string={name: "pl_secret"})
        assert response.status_code == 400, named(made)
        assert "pl_secret" not in response.text


# --- Charlie: a token of another shop -------------------------------------------------------------


@pytest.mark.db
@pytest.mark.parametrize("made", WITH_ID, ids=named)
def test_another_shops_id_is_answered_as_one_that_never_was(any_app: Flask, made: Endpoint) -> None:
    owner, charlie = Api(any_app), Api(any_app, "volta")
    theirs = IDS[name_in(made)](owner)
    before = everything(owner)
    for asked in (theirs, unknown_id(made)):
        response = ask(charlie, made, asked)
        if made.method == "PUT":  # what has a name of one's own choice is made in one's own shop
            assert response.status_code == 201
            continue
        assert response.status_code == 404, (named(made), response.text)
        assert response.json["detail"] == "There is nothing here under this id."
        assert "CANARY" not in response.text
    assert everything(owner) == before


@pytest.mark.db
def test_no_list_of_charlies_shows_what_is_anothers(any_app: Flask) -> None:
    owner, charlie = Api(any_app), Api(any_app, "volta")
    for make in IDS.values():
        make(owner)
    before = everything(owner)
    assert "CANARY" in before
    for made in WITHOUT_ID:
        assert "CANARY" not in ask(charlie, made, "").text, named(made)
    assert everything(owner) == before


def everything(caller: Api) -> str:
    """All that a caller can list or read of the things that tests make."""
    lists = [ask(caller, made, "").text for made in WITHOUT_ID if made.method == "GET"]
    read = [
        ask(caller, made, "CANARY-SKU").text
        for made in WITH_ID
        if made.method == "GET" and name_in(made) == "sku"
    ]
    return "\n".join([*lists, *read])


def test_the_same_number_is_an_order_in_each_shop(any_app: Flask) -> None:
    fern, volta = Api(any_app), Api(any_app, "volta")
    first, second = fern.order(phone="1"), volta.order(phone="2")
    assert first["id"] != second["id"]
    assert second["tracking_url"].startswith("http://volta.localhost:8000/t/")
    assert [each["id"] for each in fern.get("/orders?number=1001").json["orders"]] == [first["id"]]


def test_a_token_works_at_the_houses_name_and_at_its_own_shops_only(app: Flask) -> None:
    caller = Api(app, "volta")
    for host, status in (("127.0.0.1", 200), ("volta.localhost", 200), ("fern.localhost", 401)):
        response = caller.get("/orders", base_url=f"http://{host}:8000")
        assert response.status_code == status, host


# --- the door itself ------------------------------------------------------------------------------


def test_an_unknown_host_is_told_so_as_a_problem(quick: Api) -> None:
    response = quick.get("/orders", base_url="http://elsewhere.example")
    assert response.status_code == 421


@pytest.mark.parametrize("path", ["/nothing", "/orders/", "/", "/orders/x/y/z"])
def test_an_address_that_is_none_is_a_problem(quick: Api, path: str) -> None:
    assert quick.get(path).status_code == 404


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_another_method_is_told_which_there_are(quick: Api, method: str) -> None:
    response = quick.call(method, "/orders")
    assert response.status_code == 405
    assert set(response.headers["Allow"].split(", ")) == {"GET", "HEAD", "POST"}


def test_a_head_is_a_get_without_its_body(quick: Api) -> None:
    order = quick.order()
    for path in ("/orders", f"/orders/{order['id']}"):
        head, got = quick.call("HEAD", path), quick.get(path)
        assert (head.status_code, head.data) == (200, b"")
        assert head.headers["Content-Length"] == str(len(got.data))
    assert quick.call("HEAD", "/orders/ord_x").status_code == 404


@pytest.mark.parametrize("made", ALL, ids=named)
def test_what_is_not_in_the_description_of_an_address_is_refused_by_name(
    quick: Api, made: Endpoint
) -> None:
    path = address(made, unknown_id(made))
    response = quick.call(made.method, f"{path}?colour=red", {} if made.body else None)
    assert response.status_code == 422
    assert "colour" in fields_of(response)


def test_every_answer_is_private_and_typed(quick: Api) -> None:
    for response in (quick.get("/orders"), quick.get("/orders/ord_x"), quick.call("BREW", "/")):
        assert response.headers["Cache-Control"] == "no-store"
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert "Set-Cookie" not in response.headers


def test_the_description_is_for_everybody(app: Flask) -> None:
    response = app.test_client().get(f"{PREFIX}/openapi.json")
    assert response.status_code == 200
    check("GET", "/openapi.json", response)


def test_a_busy_database_says_when_to_ask_again_and_changes_nothing(
    quick: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick.order(number="1")  # notes the token's use
    monkeypatch.setattr(turns, "WAIT_SECONDS", 0.05)
    gone, free = threading.Event(), threading.Event()

    def hold() -> None:
        with db._lock():
            gone.set()
            free.wait(30)

    holder = threading.Thread(target=Context().run, args=(in_app(quick, hold),))
    holder.start()
    assert gone.wait(30)
    response = quick.post("/orders", {"number": "2"})
    free.set()
    holder.join()
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) >= 1
    assert "Nothing was changed" in response.json["detail"]
    assert len(quick.get("/orders").json["orders"]) == 1


def in_app(caller: Api, act: Callable[[], None]) -> Callable[[], None]:
    """`act` inside the caller's app, for a thread of its own."""

    def run() -> None:
        with caller.client.application.app_context():
            act()

    return run
