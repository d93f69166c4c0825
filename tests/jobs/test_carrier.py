"""Claims with the insurer of a parcel: filed once whatever is lost, followed, paid back once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import product
from typing import Any, get_args

import easypost
import pytest
import time_machine
from sqlalchemy import select, update

from carriers.easypost import sign
from portal import clock
from portal.db import every_shop, inside, session, writing
from portal.jobs.work import work
from portal.models import AuditEntry, CarrierClaim, Claim, HookEvent, Shipment, Shop
from portal.models.carrier_claim import days_of, want
from portal.models.change import Conflict
from portal.models.claim_acts import call_off
from portal.models.due import Due, plan
from portal.models.recovered import recovered_of
from portal.sandbox.faults import Wire
from portal.sources.sentences import Invalid
from tests.conftest import shop_id
from tests.jobs.counter import KEY, Counter, hasty
from tests.jobs.house import event
from tests.models.test_claim import claimed
from tests.sandbox.conftest import wait_until

FILE = "POST /v2/claims"
FIND = "GET /v2/claims"
LOOK = "GET /v2/claims/<id>"
NUMBER = "1Z5R89W30310058842"
SOME = ("commit_then_drop",)
MUG_MINOR = 1_499
SIGNS = "easypost-hooks"


@pytest.fixture(params=["some", pytest.param("every", marks=pytest.mark.long)])
def faults(request: pytest.FixtureRequest) -> tuple[str, ...]:
    """How the provider fails."""
    return SOME if request.param == "some" else get_args(Wire)


def insured(counter: Counter, amount: str = "100.00", number: str = NUMBER) -> None:
    """Have the parcel insured at EasyPost, with the real client."""
    client = easypost.EasyPostClient(KEY, api_base=counter.box.api_base, timeout=5)
    client.insurance.create(tracking_code=number, carrier="UPS", amount=amount)
    client._requests_session.close()


def wanted(counter: Counter, number: str = "1001", kind: str = "damaged", **more: Any) -> str:
    """A claim for the mug, to be claimed with the insurer; gives the customer's claim."""
    claim_id = claimed(counter.paid(number), kind, clock.now(), lines={"MUG": 1}, **more)
    want_it(claim_id)
    return claim_id


def want_it(claim_id: str, amount_minor: int | None = None) -> None:
    with inside(shop_id("fern")), writing():
        claim = Claim.locked(claim_id)
        assert claim is not None
        want(claim, amount_minor, "staff:test", clock.now())


def at_once(counter: Counter, act: Callable[[], object], times: int) -> list[str]:
    """Do the same in so many threads at one moment; the names of what was raised."""
    start = threading.Barrier(times)

    def run(_: int) -> str:
        with counter.app.app_context():
            start.wait()
            try:
                act()
            except Conflict as error:
                return type(error).__name__
            finally:
                session.remove()
        return ""

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))


def row_of(claim_id: str) -> CarrierClaim:
    with inside(shop_id("fern")):
        found = CarrierClaim.of_claim(claim_id)
        assert found is not None
        session.expunge_all()
        return found


def later(by: timedelta = timedelta(minutes=5)) -> None:
    """Time passes: what waits is due, and what was sent is listed."""
    with every_shop(), writing():
        session.execute(update(Due).values(at=clock.now(), leased=False))
        rows = update(CarrierClaim).where(CarrierClaim.performing_at.is_not(None))
        session.execute(rows.values(performing_at=clock.now() - by))


def until_quiet(counter: Counter, done: Callable[[], bool], rounds: int = 12) -> None:
    for _ in range(rounds):
        counter.later()
        later()
        counter.work("carrier", "apply")
        if done():
            return


def test_a_claim_is_filed_with_its_files_and_followed_to_its_money(counter: Counter) -> None:
    insured(counter)
    claim_id = wanted(counter, statement="In two pieces.")
    counter.work("carrier")
    row = row_of(claim_id)
    assert (row.status, row.problem, row.said) == ("filed", "", "Claim was created.")
    [kept] = counter.box.account.claims.values()
    assert (kept["type"], kept["requested_amount"]) == ("damage", "14.99")
    assert (kept["tracking_code"], len(kept["attachments"])) == (NUMBER, 3)
    assert kept["description"].endswith(f"In two pieces. [{row.id}]")
    assert kept["recipient_name"] == "Ada Example"
    counter.door.post(f"claims/{kept['id']}", {"status": "approved_partial", "amount": "9.00"})
    later()
    counter.work("carrier")
    row = row_of(claim_id)
    assert (row.status, row.approved_minor) == ("approved", 900)
    with inside(shop_id("fern")):
        [entry] = recovered_of(claim_id)
        assert (entry.amount_minor, entry.reference) == (900, f"insurer:{kept['id']}")
        assert session.get_one(Claim, claim_id).recovered_minor == 900
        acts = set(session.scalars(select(AuditEntry.act)))
    assert {"claim.claimed_with_insurer", "claim.filed_with_insurer"} <= acts
    assert "claim.approved_by_insurer" in acts


def test_whatever_fails_it_is_filed_once(counter: Counter, faults: tuple[str, ...]) -> None:
    hasty(counter.app, counter.box)
    insured(counter)
    routes = (FILE,) if faults == SOME else (FILE, FIND, LOOK)
    for n, (fault, route) in enumerate(product(faults, routes)):
        claim_id = wanted(counter, f"90{n}")
        counter.door.fault(fault, route=route, seconds=0.8)
        counter.work("carrier")
        if (fault, route) == ("slow", FILE):  # minutes pass before anything is filed again
            wait_until(lambda have=n: counter.effects("claim.created") > have)
        until_quiet(counter, lambda id=claim_id: row_of(id).status == "filed")
        counter.door.clear_faults()
        assert row_of(claim_id).status == "filed", f"{fault} at {route}"
    mine = [each["description"] for each in counter.box.account.claims.values()]
    assert len(mine) == len(set(mine)) == len(faults) * len(routes)


def test_after_a_lost_answer_nothing_is_filed_before_it_would_be_listed(counter: Counter) -> None:
    hasty(counter.app, counter.box)
    insured(counter)
    counter.door.fault("reset", route=FILE)
    claim_id = wanted(counter)
    counter.work("carrier")
    assert row_of(claim_id).status == "unknown"
    counter.later()
    with every_shop(), writing():
        session.execute(update(Due).values(at=clock.now()))
    counter.work("carrier")
    assert counter.effects("claim.created") == 0, "the first attempt may still arrive"
    later()
    counter.work("carrier")
    assert (row_of(claim_id).status, counter.effects("claim.created")) == ("filed", 1)


def test_what_is_not_insured_says_so_and_can_be_tried_again(counter: Counter) -> None:
    claim_id = wanted(counter)
    counter.work("carrier")
    row = row_of(claim_id)
    assert row.status == "failed"
    assert "no insurance of this parcel" in row.problem
    insured(counter, "5.00")
    want_it(claim_id)
    counter.work("carrier")
    assert "must not exceed the insured value" in row_of(claim_id).problem
    want_it(claim_id, 500)
    counter.work("carrier")
    assert row_of(claim_id).status == "filed"
    with pytest.raises(Conflict, match="claimed with the insurer already"):
        want_it(claim_id)


def test_a_claim_that_is_pressed_twice_at_once_is_filed_once(any_counter: Counter) -> None:
    insured(any_counter)
    claim_id = claimed(any_counter.paid(), "damaged", clock.now(), lines={"MUG": 1})
    refused = at_once(any_counter, lambda: want_it(claim_id), 4)
    assert refused.count("Conflict") == 3
    later()
    at_once(any_counter, lambda: work("carrier"), 3)
    assert (row_of(claim_id).status, any_counter.effects("claim.created")) == ("filed", 1)


def test_what_happens_to_a_claim_is_told_by_hook_in_any_order_and_twice(counter: Counter) -> None:
    insured(counter)
    claim_id = wanted(counter)
    counter.work("carrier")
    [kept] = list(counter.box.account.claims.values())
    review = dict(kept)
    counter.door.post(f"claims/{kept['id']}/question", {"body": "Where is the box?"})
    counter.door.post(f"claims/{kept['id']}", {"status": "approved"})
    asked = {
        "object": "ClaimMessage", "id": "cmsg_1", "claim_id": kept["id"],
        "direction": "outbound", "body": "Where is the box?",
    }  # fmt: skip
    with writing():
        session.get_one(Shop, shop_id("fern")).keep_key("easypost_webhook_secret", SIGNS)
    told = [(asked, "claim.message"), (dict(kept), "claim.approved"), (review, "claim.submitted")]
    for thing, kind in [told[0], told[1], told[2], told[1]]:
        body = event(thing, None, kind)
        signed = {"X-Hmac-Signature": sign(body, SIGNS)}
        answer = counter.app.test_client().post(
            "/hooks/easypost/fern", data=body, headers=signed, content_type="application/json"
        )
        assert answer.status_code == 200, answer.text
    counter.work("apply")
    assert row_of(claim_id).asked == "Where is the box?"
    counter.work("carrier")
    row = row_of(claim_id)
    assert (row.status, row.approved_minor, row.asked) == ("approved", MUG_MINOR, "")
    with inside(shop_id("fern")):
        assert [entry.amount_minor for entry in recovered_of(claim_id)] == [MUG_MINOR]
    with every_shop():
        assert set(session.scalars(select(HookEvent.state))) == {"applied"}


def test_an_insurer_that_thinks_again_replaces_what_was_booked(counter: Counter) -> None:
    insured(counter)
    claim_id = wanted(counter)
    counter.work("carrier")
    [kept] = counter.box.account.claims.values()
    for status, amount, sums in (
        ("approved", None, [MUG_MINOR]),
        ("approved_partial", "5.00", [MUG_MINOR, -MUG_MINOR, 500]),
        ("rejected", None, [MUG_MINOR, -MUG_MINOR, 500, -500]),
    ):
        body = {"status": status, **({"amount": amount} if amount else {})}
        counter.door.post(f"claims/{kept['id']}", body)
        with every_shop(), writing():
            plan("carrier", row_of(claim_id).id, shop_id("fern"), clock.now())
        counter.work("carrier")
        with inside(shop_id("fern")):
            assert [entry.amount_minor for entry in recovered_of(claim_id)] == sums


def test_a_lost_parcel_is_claimed_on_the_first_day_the_insurer_takes_it(counter: Counter) -> None:
    order_id = counter.paid()
    with inside(shop_id("fern")), writing():
        for parcel in session.query(Shipment).filter_by(order_id=order_id):
            parcel.status, parcel.delivered_at = "in_transit", None
            parcel.last_scan_at = clock.now() - timedelta(days=10)
            parcel.shipped_at = clock.now() - timedelta(days=12)
    insured(counter)
    claim_id = claimed(order_id, "lost", clock.now())
    want_it(claim_id)
    counter.work("carrier")
    assert row_of(claim_id).status == "wanted", "EasyPost takes losses from day 30 to day 60"
    with inside(shop_id("fern")):
        first, last = days_of(session.get_one(Claim, claim_id)) or (None, None)
        assert first is not None
        assert last is not None
        assert (last - first).days == 30
    with time_machine.travel(clock.now() + timedelta(days=19), tick=True):
        counter.work("carrier")
    assert row_of(claim_id).status == "filed"


def test_what_cannot_be_claimed_there_says_why(counter: Counter) -> None:
    claim_id = claimed(counter.paid(), "wrong_item", clock.now(), lines={"MUG": 1})
    with pytest.raises(Conflict, match="not the journey's fault"):
        want_it(claim_id)
    other = claimed(counter.paid("1002"), "damaged", clock.now(), lines={"MUG": 1})
    with pytest.raises(Invalid):
        want_it(other, MUG_MINOR + 1)
    with inside(shop_id("fern")), writing():
        call_off(Claim.locked(other), "customer", clock.now())  # type: ignore[arg-type]
    with pytest.raises(Conflict, match="cancelled"):
        want_it(other)
    third = claimed(counter.paid("1003"), "damaged", clock.now(), lines={"MUG": 1})
    with inside(shop_id("fern")), writing():
        session.execute(update(Claim).where(Claim.id == third).values(currency="EUR"))
    with pytest.raises(Conflict, match="insures in USD"):
        want_it(third)
