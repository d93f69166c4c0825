"""Labels: bought once whatever is lost, given back once when unused, kept as files of ours."""

from __future__ import annotations

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import get_args

import pytest
import requests
from PIL import Image
from sqlalchemy import update

from portal import clock
from portal.db import inside, session, writing
from portal.jobs.work import work
from portal.models import Label, Return, Shipment
from portal.models.rma_acts import cancel
from portal.sandbox.faults import Wire
from tests.conftest import shop_id
from tests.jobs.counter import ADDRESS, Counter, hasty
from tests.models.bought import shirts
from tests.sandbox.conftest import wait_until

OPEN = "POST /v2/shipments"
BUY = "POST /v2/shipments/<id>/buy"
LOOK = "GET /v2/shipments/<id>"
BACK = "POST /v2/shipments/<id>/refund"
SOME = ("rate_limited", "error_500", "html_200", "reset", "slow", "commit_then_drop")


@pytest.fixture(params=["some", pytest.param("every", marks=pytest.mark.long)])
def faults(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """How the provider fails."""
    return SOME if request.param == "some" else get_args(Wire)


def called_off(counter: Counter, return_id: str) -> None:
    with inside(shop_id("fern")), writing():
        found = Return.locked(return_id)
        assert found is not None
        cancel(found, "customer", clock.now())


def test_an_approved_return_gets_its_label_and_its_parcel_is_followed(any_counter: Counter) -> None:
    return_id = any_counter.returned()
    any_counter.work()
    (label,) = any_counter.labels(return_id)
    assert (label.status, label.problem) == ("done", "")
    assert (label.carrier, label.service, label.currency) == ("USPS", "GroundAdvantage", "USD")
    assert label.cost_minor == 545 + 55, "17.6 ounces are two pounds"
    assert label.shipment_id is not None
    assert any_counter.due("poll")
    assert any_counter.effects("label.bought") == 1


def test_the_addresses_stay_and_the_label_is_turned_round(counter: Counter) -> None:
    return_id = counter.returned()
    counter.work()
    (label,) = counter.labels(return_id)
    with inside(shop_id("fern")):
        shown = counter.box.account.shipments[label.provider_id]
    assert (shown["to_address"]["street1"], shown["is_return"]) == (ADDRESS["line1"], True)
    assert (shown["from_address"]["city"], shown["reference"]) == ("Portland", label.id)
    assert shown["customs_info"] is None


def test_a_way_over_a_border_is_declared(counter: Counter) -> None:
    far = {**ADDRESS, "country": "CA", "region": "ON", "postcode": "M5V 2T6", "city": "Toronto"}
    return_id = counter.returned(order_id=counter.paid("1001", shipping_address=far))
    counter.work()
    (label,) = counter.labels(return_id)
    customs = counter.box.account.shipments[label.provider_id]["customs_info"]
    assert customs["contents_type"] == "returned_goods"
    assert [(each["description"], each["value"]) for each in customs["customs_items"]] == [
        ("Shirt", "19.00")
    ]


def test_the_label_is_served_by_us_as_pdf_and_as_picture(any_counter: Counter) -> None:
    return_id = any_counter.returned()
    any_counter.work()
    browser = any_counter.app.test_client()
    url = f"http://fern.localhost:8000/r/{any_counter.token(return_id)}/label"
    pdf, png = browser.get(url), browser.get(f"{url}?as=png")
    assert (pdf.status_code, pdf.mimetype) == (200, "application/pdf")
    assert pdf.data.startswith(b"%PDF-")
    assert (png.status_code, png.mimetype) == (200, "image/png")
    assert Image.open(io.BytesIO(png.data)).size == (600, 900)
    for answer in (pdf, png):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "private, no-store"


def test_the_code_for_the_counter_is_kept_and_shown_on_the_returns_page(
    any_counter: Counter,
) -> None:
    return_id = any_counter.returned(method="qr")
    any_counter.work()
    (label,) = any_counter.labels(return_id)
    assert label.qr_url.endswith(".png")
    browser = any_counter.app.test_client()
    url = f"http://fern.localhost:8000/r/{any_counter.token(return_id)}"
    page = browser.get(url).text
    assert f'src="{url.removeprefix("http://fern.localhost:8000")}/label?as=code"' in page
    assert "A code with the number" not in page, "two codes on one page are one too many"
    code = browser.get(f"{url}/label?as=code")
    assert (code.status_code, code.mimetype) == (200, "image/png")
    assert Image.open(io.BytesIO(code.data)).size[0] >= 200


def test_without_a_code_of_the_providers_there_is_the_label(counter: Counter) -> None:
    counter.door.fault("error_500", route="POST /v2/shipments/<id>/forms", times=9)
    return_id = counter.returned(method="qr")
    counter.work()
    (label,) = counter.labels(return_id)
    assert (label.status, label.qr_url) == ("done", "")
    browser = counter.app.test_client()
    url = f"http://fern.localhost:8000/r/{counter.token(return_id)}"
    assert "Print the label instead" in browser.get(url).text
    assert browser.get(f"{url}/label").data.startswith(b"%PDF-")
    assert browser.get(f"{url}/label?as=code").status_code == 404


def test_a_file_that_does_not_lie_with_the_provider_is_not_fetched(counter: Counter) -> None:
    return_id = counter.returned()
    counter.door.fault("error_500", path_prefix="/files", times=50)
    counter.work()
    (label,) = counter.labels(return_id)
    with inside(shop_id("fern")), writing():
        away = "https://labels.example.com/a.png"
        session.execute(update(Label).values(png_url=away, pdf_url=""))
    counter.door.clear_faults()
    counter.until_quiet()
    (label,) = counter.labels(return_id)
    assert label.status == "done"
    assert "does not lie with the provider" in label.problem


def test_without_a_pdf_of_the_providers_one_is_drawn(counter: Counter) -> None:
    return_id = counter.returned()
    counter.door.fault("error_500", route="GET /v2/shipments/<id>/label", times=9)
    counter.work()
    url = f"http://fern.localhost:8000/r/{counter.token(return_id)}/label"
    assert counter.app.test_client().get(url).data.startswith(b"%PDF-")


@pytest.mark.parametrize("route", [OPEN, BUY])
def test_every_fault_of_the_provider_ends_in_one_label(
    counter: Counter, route: str, faults: tuple[str, ...]
) -> None:
    hasty(counter.app, counter.box)
    for n, fault in enumerate(faults):
        return_id = counter.returned(number=f"20{n:02}")
        counter.door.fault(fault, route=route)
        counter.until_quiet()
        (label,) = counter.labels(return_id)
        assert (label.status, label.problem) == ("done", ""), fault
        assert counter.effects("label.bought") == n + 1, fault
        counter.door.clear_faults()


def test_every_fault_while_it_is_looked_for_ends_in_one_label(
    counter: Counter, faults: tuple[str, ...]
) -> None:
    hasty(counter.app, counter.box)
    for n, fault in enumerate(faults):
        return_id = counter.returned(number=f"30{n:02}")
        counter.door.fault("commit_then_drop", route=BUY)
        counter.door.fault(fault, route=LOOK, times=2)
        counter.until_quiet()
        assert counter.labels(return_id)[0].status == "done", fault
        assert counter.effects("label.bought") == n + 1, fault
        counter.door.clear_faults()


def test_while_the_label_service_is_down_the_return_stands(counter: Counter) -> None:
    hasty(counter.app, counter.box)
    counter.door.fault("error_503", path_prefix="/v2/shipments", times=100)
    return_id = counter.returned()
    for _ in range(12):  # more often than other work is tried before it is given up
        counter.later()
        counter.work("label")
    (label,) = counter.labels(return_id)
    assert (label.status, counter.rma(return_id).status) == ("performing", "approved")
    assert "trouble" in label.problem
    assert counter.due("label")
    counter.door.clear_faults()
    counter.until_quiet()
    assert counter.labels(return_id)[0].status == "done"


def test_without_a_return_address_staff_are_told_what_to_do(counter: Counter) -> None:
    counter.settings(return_address=None)
    return_id = counter.returned()
    counter.work()
    (label,) = counter.labels(return_id)
    assert (label.status, counter.rma(return_id).status) == ("failed", "approved")
    assert "has no return address" in label.problem
    counter.settings(return_address={**ADDRESS, "name": "Shop"})
    with inside(shop_id("fern")), writing():
        found = Label.locked(label.id)
        assert found is not None
        found.retry("staff:1", clock.now())
    counter.work()
    assert counter.labels(return_id)[0].status == "done"


def test_only_the_shops_carriers_are_taken(counter: Counter) -> None:
    counter.settings(return_carriers=["UPS"])
    return_id = counter.returned()
    counter.work()
    (label,) = counter.labels(return_id)
    assert (label.status, "carriers" in label.problem) == ("failed", True)
    assert counter.effects("label.bought") == 0


def test_an_unused_label_of_a_cancelled_return_goes_back_once(
    counter: Counter, faults: tuple[str, ...]
) -> None:
    hasty(counter.app, counter.box)
    for n, fault in enumerate(["", *faults]):
        return_id = counter.returned(number=f"40{n:02}")
        counter.work("label")
        called_off(counter, return_id)
        if fault:
            counter.door.fault(fault, route=BACK)
        counter.until_quiet()
        (label,) = counter.labels(return_id)
        assert (label.status, label.voided_at is None) == ("voided", False), fault
        assert counter.effects("label.refunded") == n + 1, fault
        counter.door.clear_faults()


def test_a_label_that_was_used_stays_and_staff_see_why(counter: Counter) -> None:
    return_id = counter.returned()
    counter.work("label")
    (label,) = counter.labels(return_id)
    called_off(counter, return_id)
    counter.door.parcel(label.tracking_number, carrier="USPS")
    counter.until_quiet(3)
    (label,) = counter.labels(return_id)
    assert (label.status, "given back" in label.problem) == ("done", True)


def test_a_return_called_off_while_its_label_is_bought_costs_nothing(any_counter: Counter) -> None:
    return_id = any_counter.returned()
    any_counter.door.fault("slow", route=BUY, seconds=1.0)

    def buy() -> None:
        with any_counter.app.app_context():
            work("label")
            session.remove()

    with ThreadPoolExecutor(1) as pool:
        bought = pool.submit(buy)
        wait_until(lambda: any_counter.door.get("faults")["waiting"] == [])
        called_off(any_counter, return_id)
        bought.result(20)
    any_counter.until_quiet()
    assert any_counter.labels(return_id)[0].status == "voided"
    assert any_counter.effects("label.refunded") == 1
    with inside(shop_id("fern")):
        assert session.query(Shipment).where(Shipment.rma_id == return_id).count() == 0


def test_workers_at_once_buy_one_label(any_counter: Counter) -> None:
    return_id = any_counter.returned()
    any_counter.door.fault("slow", seconds=0.3, route=BUY)
    start = threading.Barrier(4)

    def hand(n: int) -> None:
        with any_counter.app.app_context():
            start.wait(10)
            if n % 2:
                any_counter.later()  # the lease of the other has run out
            work("label")
            session.remove()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(hand, range(4)))
    any_counter.until_quiet()
    assert any_counter.labels(return_id)[0].status == "done"
    assert any_counter.effects("label.bought") == 1


def test_no_more_labels_than_the_shop_allows_a_day(counter: Counter) -> None:
    counter.settings(labels_a_day=2)
    ids = [counter.returned(number=f"50{n}") for n in range(3)]
    counter.work("label")
    assert [counter.labels(each)[0].status for each in ids] == ["done", "done", "failed"]
    assert counter.effects("label.bought") == 2


def test_an_approval_that_nobody_used_ends_and_its_label_goes_back(any_counter: Counter) -> None:
    return_id = any_counter.returned(shirts(1, "faulty"))
    any_counter.work("label")
    (label,) = any_counter.labels(return_id)
    ends = any_counter.rma(return_id).expires_at
    assert label.done_at is not None
    assert ends is not None
    assert ends < label.done_at + timedelta(days=29), "USPS takes it back for 30 days"
    with inside(shop_id("fern")), writing():
        past = clock.now() - timedelta(minutes=1)
        session.execute(update(Return).where(Return.id == return_id).values(expires_at=past))
    any_counter.until_quiet()
    assert any_counter.rma(return_id).status == "expired"
    assert any_counter.labels(return_id)[0].status == "voided"
    assert any_counter.effects("label.refunded") == 1


def test_the_parcel_of_a_label_moves_its_return(counter: Counter) -> None:
    story = {"kind": "on_time", "days": 3}
    answer = requests.put(f"{counter.box.url}/_sandbox/label-story", json=story, timeout=5)
    assert answer.status_code == 200
    return_id = counter.returned()
    counter.work("label", "poll")
    assert counter.rma(return_id).status == "arrived"
    assert counter.rma(return_id).shipped_at is not None
