"""What each act of a return has mailed: exactly that, once, in the transaction that causes it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from portal.db import every_shop, inside, session, writing
from portal.jobs.work import work
from portal.models import Due, Message, Return, Settlement, payout
from portal.models.label import labels_of
from portal.models.rma_acts import APPROVED_FOR, approve, arrive, cancel, decline, expire, ship
from portal.models.rma_news import (
    LABEL_WITHIN,
    MONEY,
    REMINDED_BEFORE,
    STAGES,
    label_ready,
    over,
    remind,
)
from portal.models.rma_receipt import Count, receive
from portal.models.rma_request import order_for_return, request_return
from portal.models.rma_rows import Act
from portal.models.rma_settle import resolve
from portal.models.settlement import settlements_of
from tests.conftest import shop_id
from tests.models.bought import NOW, ask, bought, requested, shirts, sold
from tests.models.test_rma_races import together

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
PLACES = (*STAGES, *MONEY)


def on(id: str, act: Callable[[Return], Any]) -> Any:
    """Do something with a return in a transaction of its own."""
    with inside(shop_id("fern")), writing():
        found = Return.locked(id)
        assert found is not None
        return act(found)


def told(slug: str = "fern") -> list[str]:
    """What is to be mailed, as it happened; without the common beginning."""
    with inside(shop_id(slug)):
        rows = session.execute(select(Message.kind, Message.recipient, Message.created_at)).all()
    assert {row.recipient for row in rows} <= {"ada@example.com"}
    happened = sorted(rows, key=lambda row: (row.created_at, PLACES.index(row.kind)))
    return [row.kind.removeprefix("return_") for row in happened]


def due_at(queue: str) -> list[datetime]:
    with every_shop():
        return list(session.scalars(select(Due.at).where(Due.queue == queue).order_by(Due.at)))


def rows(id: str) -> list[str]:
    with inside(shop_id("fern")):
        return [row.id for row in settlements_of(id)]


def back(id: str, *, accept: bool = True, at: datetime = NOW + DAY) -> None:
    count = Count("TEE-M", 1, "A", "restock", accept)
    on(id, lambda rma: receive(rma, [count], "staff", at))


def test_a_return_from_asking_to_money_is_told_step_by_step(any_app: Flask) -> None:
    id = ask(bought(), shirts(1, "other"))
    assert told() == ["requested"]
    on(id, lambda rma: approve(rma, "staff:1", NOW + HOUR))
    on(id, lambda rma: ship(rma, "carrier", NOW + 2 * HOUR))
    on(id, lambda rma: arrive(rma, "carrier", NOW + 3 * HOUR))
    back(id)
    on(id, lambda rma: resolve(rma, None, Act("staff", NOW + DAY)))
    assert told() == ["requested", "approved", "shipped", "arrived", "checked"]
    with inside(shop_id("fern")), writing():
        for row in settlements_of(id):
            payout.begin(row.id, NOW + DAY)
            assert payout.succeeded(row.id, "re_1", NOW + DAY)
            assert not payout.succeeded(row.id, "re_1", NOW + DAY)
    assert told()[5:] == ["refunded"]


@pytest.mark.parametrize("channel", ["page", "api", "staff"])
def test_however_it_was_asked_for_the_same_is_mailed(app: Flask, channel: str) -> None:
    order_id = bought()
    with inside(shop_id("fern")), writing():
        order = order_for_return(order_id, lock=True)
        assert order is not None
        request_return(order, [shirts(1)], channel, "token:1", NOW)
    assert told() == ["approved"]


def test_a_refusal_is_told_and_an_overruled_one_too(any_app: Flask) -> None:
    id = ask(bought(), shirts(1, "other"))
    on(id, lambda rma: decline(rma, "staff", NOW + HOUR, "worn", "It was worn."))
    on(id, lambda rma: approve(rma, "staff", NOW + 2 * HOUR, override_reason="A good customer."))
    assert told() == ["requested", "declined", "approved"]


def test_only_the_shops_own_calling_off_is_told(any_app: Flask) -> None:
    for number, by in (("1001", "customer"), ("1002", "staff:1"), ("1003", "token:shop")):
        id = ask(bought(number=number), shirts(1), now=NOW)
        on(id, lambda rma, by=by: cancel(rma, by, NOW + HOUR, "Sold out."))
    assert told() == ["approved"] * 3 + ["cancelled"] * 2


def test_an_order_without_an_address_is_told_nothing(app: Flask) -> None:
    id = ask(bought(email=""), shirts(1, "other"))
    on(id, lambda rma: approve(rma, "staff", NOW))
    assert told() == []


def test_credit_is_told_as_it_is_given(any_app: Flask) -> None:
    id = ask(bought(), shirts(1, resolution="store_credit"), method="own_label")
    back(id)
    on(id, lambda rma: resolve(rma, None, Act("staff", NOW + DAY)))
    assert told() == ["approved", "arrived", "checked", "credited"]


def test_an_even_exchange_is_told_once_it_is_an_order(any_app: Flask) -> None:
    sold()
    id = ask(bought(), shirts(1, resolution="exchange", exchange_sku="TEE-L"))
    back(id)
    on(id, lambda rma: resolve(rma, None, Act("staff", NOW + DAY)))
    assert told()[-1] == "exchanged"
    assert "due" not in told()


def test_a_dearer_exchange_asks_for_the_difference_first(any_app: Flask) -> None:
    sold(price_minor=3_000)
    id = ask(bought(), shirts(1, resolution="exchange", exchange_sku="TEE-L"))
    back(id)
    on(id, lambda rma: resolve(rma, None, Act("staff", NOW + DAY)))
    assert told()[-1] == "due"
    with inside(shop_id("fern")), writing():
        row = next(each for each in settlements_of(id) if each.kind == "top_up")
        assert payout.top_up_paid(row.id, "pi_more", NOW + 2 * DAY)
        assert not payout.top_up_paid(row.id, "pi_more", NOW + 2 * DAY)
    assert told()[-2:] == ["due", "exchanged"]


def test_a_refund_that_came_back_and_went_again_is_told_again(any_app: Flask) -> None:
    id = ask(bought(), shirts(1), method="own_label")
    back(id)
    [row] = on(id, lambda rma: [r.id for r in resolve(rma, None, Act("staff", NOW + DAY))])
    with inside(shop_id("fern")), writing():
        payout.begin(row, NOW + DAY)
        payout.succeeded(row, "re_1", NOW + DAY)
        payout.failed(row, "The account is closed.", NOW + 2 * DAY)
    assert told().count("refunded") == 1
    on(id, lambda rma: resolve(rma, None, Act("staff", NOW + 3 * DAY)))
    with inside(shop_id("fern")), writing():
        for each in rows(id):
            if payout.begin(each, NOW + 3 * DAY):
                payout.succeeded(each, "re_2", NOW + 3 * DAY)
    assert told().count("refunded") == 2


# --- with its label, or without -----------------------------------------------------------------


def label_there(id: str, at: datetime) -> None:
    found = Return.locked(id)
    assert found is not None
    [label] = labels_of(id)
    label.status = "done"
    label_ready(found, label.id, at)


def test_an_approval_waits_for_its_label_and_no_longer_than_it_must(any_app: Flask) -> None:
    id = ask(bought(), shirts(1), method="label")
    assert due_at("send") == [NOW + LABEL_WITHIN]
    with inside(shop_id("fern")), writing():
        label_there(id, NOW + timedelta(seconds=5))
    assert due_at("send") == [NOW + timedelta(seconds=5)]
    assert told() == ["approved"]


def test_a_label_that_comes_after_the_approval_has_its_own_mail_once(any_app: Flask) -> None:
    id = ask(bought(), shirts(1), method="label")
    with inside(shop_id("fern")), writing():
        message = session.scalars(select(Message)).one()
        message.state, message.facts = "sent", {**message.facts, "without_label": True}
    for _ in range(2):
        with inside(shop_id("fern")), writing():
            label_there(id, NOW + HOUR)
    assert told() == ["approved", "label"]


# --- before it ends -----------------------------------------------------------------------------


def reminded(at: datetime) -> list[str]:
    with time_machine.travel(at, tick=False):
        work("expire")
    return told()


def test_five_days_before_its_end_an_approval_is_recalled_once(any_app: Flask) -> None:
    """No queue message is sent: the row in the table of due work is all there is."""
    ask(bought(), shirts(1), method="own_label")
    ends = NOW + APPROVED_FOR
    assert reminded(ends - REMINDED_BEFORE - HOUR) == ["approved"]
    assert reminded(ends - REMINDED_BEFORE) == ["approved", "reminder"]
    assert due_at("expire") == [ends]
    assert reminded(ends - HOUR) == ["approved", "reminder"]
    assert reminded(ends) == ["approved", "reminder", "expired"]
    assert due_at("expire") == []


@pytest.mark.parametrize("act", ["ship", "cancel"])
def test_nobody_is_reminded_of_what_moved_or_ended(any_app: Flask, act: str) -> None:
    id = ask(bought(), shirts(1), method="own_label")
    if act == "ship":
        on(id, lambda rma: ship(rma, "carrier", NOW + DAY))
    else:
        on(id, lambda rma: cancel(rma, "customer", NOW + DAY))
    assert "reminder" not in reminded(NOW + 27 * DAY)
    assert due_at("expire") == []


def test_a_longer_approval_is_recalled_by_its_new_end(any_app: Flask) -> None:
    id = ask(bought(), shirts(1), method="own_label")
    with inside(shop_id("fern")), writing():
        found = Return.locked(id)
        assert found is not None
        found.expires_at = NOW + 60 * DAY
    assert reminded(NOW + 25 * DAY) == ["approved"]
    assert due_at("expire") == [NOW + 60 * DAY - REMINDED_BEFORE]
    assert reminded(NOW + 55 * DAY) == ["approved", "reminder"]


def test_of_two_workers_that_remind_one_does(any_app: Flask) -> None:
    id = ask(bought(), shirts(1), method="own_label")
    late = NOW + 26 * DAY

    def act() -> None:
        found = Return.locked(id)
        assert found is not None
        remind(found, late)

    assert together(any_app, shop_id("fern"), *[act] * 6) == ["done"] * 6
    assert told() == ["approved", "reminder"]


def test_of_two_workers_that_end_it_one_tells(any_app: Flask) -> None:
    id = ask(bought(), shirts(1), method="own_label")

    def act() -> object:
        found = Return.locked(id)
        assert found is not None
        return expire(found, NOW + 31 * DAY)

    found = together(any_app, shop_id("fern"), *[act] * 6)
    assert (found.count("done"), told()) == (1, ["approved", "expired"])


def test_of_two_that_decide_one_is_told(any_app: Flask) -> None:
    id = ask(bought(), shirts(1, "other"))

    def say(act: Callable[[Return], object]) -> Callable[[], object]:
        def run() -> object:
            found = Return.locked(id)
            assert found is not None
            return act(found)

        return run

    yes = say(lambda rma: approve(rma, "staff:1", NOW))
    no = say(lambda rma: decline(rma, "staff:2", NOW, "no"))
    together(any_app, shop_id("fern"), *[yes, no] * 4)
    assert told()[0] == "requested"
    assert len(told()) == 2


# --- what is true no more -----------------------------------------------------------------------


def why_over(kind: str) -> str:
    with inside(shop_id("fern")):
        message = session.scalars(select(Message).where(Message.kind == f"return_{kind}")).one()
        return over(message, Return.read(message.facts["rma"]))


def test_what_has_moved_on_is_not_told_any_more(any_app: Flask) -> None:
    id = ask(bought(), shirts(1, "other"), method="own_label")
    assert why_over("requested") == ""
    on(id, lambda rma: approve(rma, "staff", NOW))
    assert why_over("requested") == "The return is approved now."
    assert why_over("approved") == ""
    on(id, lambda rma: ship(rma, "carrier", NOW))
    assert why_over("approved") == "The return is shipped now."
    assert why_over("shipped") == ""


def test_a_check_that_its_money_follows_at_once_has_no_mail_of_its_own(any_app: Flask) -> None:
    id = ask(bought(), shirts(1), method="own_label")
    back(id)
    assert why_over("checked") == ""
    on(id, lambda rma: resolve(rma, None, Act("staff", NOW + DAY)))
    assert "mail about its money" in why_over("checked")


def test_a_check_that_found_something_is_told_all_the_same(any_app: Flask) -> None:
    id = ask(bought(), shirts(2), method="own_label")
    counts = [Count("TEE-M", 1, "A", "restock", True), Count("TEE-M", 1, "D", "recycle", False)]
    on(id, lambda rma: receive(rma, counts, "staff", NOW + DAY))
    on(id, lambda rma: resolve(rma, None, Act("staff", NOW + DAY)))
    assert why_over("checked") == ""


def test_a_difference_that_was_paid_is_not_asked_for(any_app: Flask) -> None:
    sold(price_minor=3_000)
    id = ask(bought(), shirts(1, resolution="exchange", exchange_sku="TEE-L"))
    back(id)
    on(id, lambda rma: resolve(rma, None, Act("staff", NOW + DAY)))
    assert why_over("due") == ""
    with inside(shop_id("fern")), writing():
        row = session.scalars(select(Settlement).where(Settlement.kind == "top_up")).one()
        payout.top_up_paid(row.id, "pi_more", NOW + DAY)
    assert why_over("due") == "Its payment has changed."


def test_what_fails_leaves_no_mail_behind(any_app: Flask) -> None:
    order_id = bought()

    def dies() -> None:
        with inside(shop_id("fern")), writing():
            requested(order_id, shirts(1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        dies()
    assert told() == []
    assert due_at("send") == []


def test_another_shops_return_is_told_by_that_shop(app: Flask) -> None:
    ask(bought("volta"), shirts(1), slug="volta")
    assert told() == []
    assert told("volta") == ["approved"]
