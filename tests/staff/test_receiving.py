"""The receiving desk: a number leads to its return; counts and photos are written down."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from flask import Flask
from PIL import Image

from portal.db import inside, session, writing
from portal.models import AuditEntry, Photo
from portal.models.rma_acts import approve, send
from tests.conftest import shop_id
from tests.models.bought import NOW, ask, bought, rma, shirts
from tests.pages.browser import TOKEN, Browser
from tests.staff.test_signin import joined

HERE = "/staff/receive"
NUMBER = "1Z5R89W30310058842"


@pytest.fixture
def desk(app: Flask) -> Browser:
    return joined(app, role="warehouse")


def awaited(number: str = "1001", quantity: int = 2, tracking: str = "1Z12345E0205271688") -> str:
    """An approved return whose parcel is on its way."""
    rma_id = ask(bought(number=number), shirts(quantity, "changed_mind"), method="own_label")
    with inside(shop_id("fern")), writing():
        found = rma(rma_id)
        if found.status == "requested":
            approve(found, "staff:9 Sam", NOW)
        send(found, "customer", NOW, "UPS", tracking)
    return rma_id


def photo() -> tuple[io.BytesIO, str]:
    file = io.BytesIO()
    Image.new("RGB", (60, 40), "teal").save(file, "JPEG")
    file.seek(0)
    return file, "shirt.jpg"


def count(browser: Browser, rma_id: str, **fields: Any) -> Any:
    page = browser.get(f"{HERE}/{rma_id}").text
    token, version = TOKEN.search(page), re.search(r'name="version" value="(\d+)"', page)
    assert token
    assert version
    data = {"csrf_token": token[1], "version": version[1], **fields}
    return browser.open(f"{HERE}/{rma_id}", "POST", data=data, content_type="multipart/form-data")


def test_every_number_in_hand_leads_to_the_return(desk: Browser) -> None:
    rma_id = awaited()
    with inside(shop_id("fern")):
        token = rma(rma_id).token
    hands = ["1001-R1", "1001-r1", "1001", "#1001", "1z 1234 5e02 0527 1688"]
    for typed in [*hands, f"http://fern.localhost:8000/r/{token}", f"/r/{token}/label"]:
        answer = desk.open(HERE, query_string={"number": typed})
        assert answer.headers.get("Location") == f"{HERE}/{rma_id}", typed
    nothing = ["", NUMBER, "9999", "a\x00b", "%", "/r/" + "x" * 40, "https://[", "💥" * 99]
    for typed in nothing:
        answer = desk.open(HERE, query_string={"number": typed})
        assert answer.status_code == 200, typed
        assert rma_id not in answer.text


def test_of_several_returns_one_is_chosen_and_a_full_number_needs_no_choice(desk: Browser) -> None:
    order = bought()
    first, second = (ask(order, shirts(1, "changed_mind")) for _ in range(2))
    page = desk.get(f"{HERE}?number=1001").text
    assert first in page
    assert second in page
    assert desk.get(f"{HERE}?number=1001-R2").headers["Location"].endswith(second)


def test_what_is_counted_is_written_down_with_its_photo_and_the_next_is_asked_for(
    desk: Browser,
) -> None:
    rma_id = awaited()
    more = {"photo-0": photo(), "note-1": "Torn at the sleeve", "accept-1": "no"}
    answer = count(
        desk,
        rma_id,
        sku=["TEE-M", "TEE-M"],
        **{"quantity-0": "1", "condition-0": "A", "disposition-0": "restock"},
        **{"quantity-1": "1", "condition-1": "D", "disposition-1": "recycle"},
        **more,
    )
    assert answer.status_code == 303, answer.text
    assert "1001-R1 is written down" in desk.get(answer.headers["Location"]).text
    with inside(shop_id("fern")):
        units = sorted((unit.condition, unit.acceptance) for unit in rma(rma_id).units)
        assert units == [("A", "accepted"), ("D", "rejected")]
        kept = session.query(Photo).one()
        assert (kept.rma_id, kept.sku) == (rma_id, "TEE-M")
        assert "Dana" in kept.by
        assert session.query(AuditEntry).filter_by(act="return.received").count() == 1


def test_who_counts_on_an_old_page_and_too_many_is_told_and_changes_nothing(desk: Browser) -> None:
    rma_id = awaited()
    told = count(desk, rma_id, sku="TEE-M", version="1", **{"quantity-0": "1"})
    assert told.status_code == 409
    assert "Somebody decided a moment ago" in told.text
    told = count(desk, rma_id, sku="TEE-M", **{"quantity-0": "9"})
    assert told.status_code == 409
    assert "Only 2 of this" in told.text
    with inside(shop_id("fern")):
        assert {unit.reception for unit in rma(rma_id).units} == {"awaited"}


def test_a_file_that_is_no_photo_does_not_lose_the_count(desk: Browser) -> None:
    rma_id = awaited()
    bad = (io.BytesIO(b"no picture"), "x.jpg")
    answer = count(desk, rma_id, sku="TEE-M", **{"quantity-0": "2", "photo-0": bad})
    assert "could not be read" in desk.get(answer.headers["Location"]).text
    with inside(shop_id("fern")):
        assert {unit.reception for unit in rma(rma_id).units} == {"received"}


def test_a_parcel_that_nobody_decided_on_is_put_aside(desk: Browser) -> None:
    rma_id = ask(bought(), shirts(1, "other"))
    page = desk.get(f"{HERE}/{rma_id}").text
    assert "Nobody has decided" in page
    assert "Write it down" not in page


def test_another_shops_return_is_not_found(app: Flask) -> None:
    rma_id = awaited()
    eve = joined(app, "eve@volta.test", "warehouse", "volta")
    assert eve.get(f"{HERE}/{rma_id}").status_code == 404
    assert "No return fits" in eve.get(f"{HERE}?number=1001-R1").text
