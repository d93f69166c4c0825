"""Mails about a return, from its acts to a real mail server: what they say, and what is dropped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import select

from portal import clock
from portal.db import inside, session, writing
from portal.jobs.work import work
from portal.models import Link, Message, Order, Return, Shop, payout
from portal.models.label import labels_of
from portal.models.outbox import start, stop
from portal.models.rma_acts import approve, arrive, cancel, decline, ship
from portal.models.rma_news import LABEL_WITHIN, label_ready
from portal.models.rma_receipt import Count, receive
from portal.models.rma_rows import Act
from portal.models.rma_settle import resolve
from portal.models.settlement import settlements_of
from tests.channels.conftest import MailServer
from tests.conftest import shop_id
from tests.models.bought import ask, bought, shirts, sold

DAY = timedelta(days=1)
READER = "ada@example.com"


@pytest.fixture
def mails(any_posting_app: Flask, mail_server: MailServer, time: Any) -> MailServer:
    """The mail server of a house on each database in turn."""
    return mail_server


def asked(*what: Any, number: str = "1001", method: str = "own_label", **more: Any) -> str:
    now = clock.now()
    return ask(
        bought(number=number, now=now, **more), *what or (shirts(1),), now=now, method=method
    )


def on(id: str, act: Callable[[Return], Any]) -> Any:
    with inside(shop_id("fern")), writing():
        found = Return.locked(id)
        assert found is not None
        return act(found)


def page(id: str) -> str:
    with inside(shop_id("fern")):
        found = Return.read(id)
        assert found is not None
        return f"http://fern.localhost:8000/r/{found.token}"


def parts(mail: EmailMessage) -> tuple[str, str]:
    """Its text on one line, and its HTML."""
    text, html = (part.get_content() for part in mail.iter_parts())  # type: ignore[attr-defined]
    return " ".join(text.split()), html


def newest(server: MailServer) -> str:
    """What is due is sent; the text of the last one."""
    work("send")
    return parts(server.mails[-1])[0]


def states() -> dict[str, str]:
    with inside(shop_id("fern")):
        return {
            row.kind.removeprefix("return_"): row.state for row in session.scalars(select(Message))
        }


def back(id: str, *counts: Count) -> None:
    found = list(counts) or [Count("TEE-M", 1, "A", "restock", True)]
    on(id, lambda rma: receive(rma, found, "staff", clock.now()))


def settled(id: str) -> None:
    """Staff settle it, and the provider pays."""
    on(id, lambda rma: resolve(rma, None, Act("staff", clock.now())))
    with inside(shop_id("fern")), writing():
        for row in settlements_of(id):
            if payout.begin(row.id, clock.now()):
                payout.succeeded(row.id, f"re_{row.id}", clock.now())


def test_an_approval_says_what_to_do_until_when_and_what_for(mails: MailServer) -> None:
    id = asked()
    said = newest(mails)
    [mail] = mails.mails
    text, html = parts(mail)
    assert (mail["Subject"], mail["To"]) == ("Return 1001-R1 is approved", READER)
    assert "Send it off by Monday 21 December" in said
    assert "1. Pack everything" in said
    assert "Tell us carrier and number below" not in said
    assert "Refund: $19.00" in said
    assert html.count(f'href="{page(id)}"') == 2, "the name and the one button"
    assert page(id) in text
    assert len(html.encode()) < 40_000
    assert mail["List-Unsubscribe"] is None, "it is the answer to what was asked for"
    assert "Choose or stop" not in text


def test_each_step_is_told_once_and_leads_to_the_returns_page(mails: MailServer, time: Any) -> None:
    id = asked(shirts(1, "other"))
    assert "Answer by Tuesday 24 November" in newest(mails)
    for act, says in (
        (lambda rma: approve(rma, "staff:1", clock.now()), "It is approved"),
        (lambda rma: ship(rma, "carrier", clock.now()), "Here by"),
        (lambda rma: arrive(rma, "carrier", clock.now()), "Checked by"),
    ):
        time.shift(DAY)
        on(id, act)
        assert says in newest(mails)
    time.shift(DAY)
    back(id)
    assert "All of it is accepted" in newest(mails)
    time.shift(DAY)
    settled(id)
    said = newest(mails)
    assert "Sent on Saturday 28 November: $19.00" in said
    assert "Visible by Thursday 3 December" in said
    assert "same card or account" in said
    for _ in range(3):
        work("send")
    assert len(mails.mails) == 6
    assert all(page(id) in parts(mail)[0] for mail in mails.mails)
    assert len({mail["Message-ID"] for mail in mails.mails}) == 6


def test_a_refusal_gives_the_reason_and_the_next_step(mails: MailServer) -> None:
    id = asked(shirts(1, "other"))
    on(id, lambda rma: decline(rma, "staff", clock.now(), "worn", "It was worn outside."))
    said = newest(mails)
    assert "It was worn outside." in said
    assert "Simply answer this mail" in said
    assert states() == {"requested": "superseded", "declined": "sent"}


def test_what_was_found_is_told_article_by_article(mails: MailServer) -> None:
    id = asked(shirts(2))
    work("send")
    back(id, Count("TEE-M", 1, "A", "restock", True), Count("TEE-M", 1, "D", "", False, "Torn."))
    said = newest(mails)
    assert "We accepted 1 of 2." in said
    assert "Accepted: 1 of 2. Not accepted: Torn." in said
    assert "a person looks again" in said


def test_credit_is_told_with_its_balance_and_its_end(mails: MailServer, time: Any) -> None:
    with writing():
        shop = session.get_one(Shop, shop_id("fern"))
        shop.settings = {**shop.settings, "credit_days": 365}
    for number, balance in (("1001", "$19.00"), ("1002", "$38.00")):
        id = asked(shirts(1, resolution="store_credit"), number=number)
        back(id)
        settled(id)
        said = newest(mails)
        assert f"New credit: $19.00 All your credit here: {balance}" in said
        assert "To be spent by Tuesday 23 November 2027" in said
        time.shift(timedelta(minutes=1))


def test_an_exchange_leads_to_its_own_order(mails: MailServer) -> None:
    sold()
    id = asked(shirts(1, resolution="exchange", exchange_sku="TEE-L"))
    back(id)
    settled(id)
    said = newest(mails)
    assert "Shirt TEE-L is order 1001-X1 now." in said
    with inside(shop_id("fern")):
        made = session.scalars(select(Order.id).where(Order.number == "1001-X1")).one()
        assert f"/t/{Link.of(made)}" in said


def test_a_difference_is_asked_for_with_its_amount(mails: MailServer) -> None:
    sold(price_minor=3_000)
    id = asked(shirts(1, resolution="exchange", exchange_sku="TEE-L"))
    back(id)
    settled(id)
    said = newest(mails)
    assert "To be paid: $" in said
    assert f"Pay the difference: {page(id)}" in said
    assert "Kept for you until" in said


def test_a_gift_is_told_of_without_any_amount(mails: MailServer) -> None:
    for resolution in ("store_credit", "refund"):
        id = asked(shirts(1, resolution=resolution), number=f"G-{resolution}", gift=True)
        on(id, lambda rma: rma.status == "approved" or approve(rma, "staff", clock.now()))
        work("send")
        back(id)
        settled(id)
        work("send")
    assert mails.mails
    for mail in mails.mails:
        for part in parts(mail):
            assert "$" not in part
            assert "Ada " not in part


def test_what_has_moved_on_before_it_is_sent_is_dropped_with_the_reason(
    mails: MailServer, time: Any
) -> None:
    mails.on_data = lambda: "451 later"
    id = asked()
    work("send")
    time.shift(DAY)
    on(id, lambda rma: ship(rma, "carrier", clock.now()))
    mails.on_data = None
    work("send")
    assert [mail["Subject"] for mail in mails.mails] == ["Return 1001-R1 is on its way to us"]
    with inside(shop_id("fern")):
        dropped = session.scalars(select(Message).where(Message.kind == "return_approved")).one()
    assert (dropped.state, dropped.error) == ("superseded", "The return is shipped now.")


def test_who_wants_no_news_still_gets_answers(mails: MailServer, time: Any) -> None:
    id = asked()
    with inside(shop_id("fern")), writing():
        stop(on_order(id), READER)
    work("send")
    on(id, lambda rma: ship(rma, "carrier", clock.now()))
    on(id, lambda rma: arrive(rma, "carrier", clock.now()))
    work("send")
    back(id)
    settled(id)
    work("send")
    assert states() == {
        "approved": "sent",
        "shipped": "superseded",
        "arrived": "stopped",
        "checked": "superseded",
        "refunded": "sent",
    }


def test_news_of_the_way_can_be_stopped(mails: MailServer) -> None:
    id = asked()
    on(id, lambda rma: ship(rma, "carrier", clock.now()))
    work("send")
    [mail] = mails.mails
    assert "/u/" in mail["List-Unsubscribe"]
    assert "/updates" in parts(mail)[0]
    other = asked(number="1002")
    with inside(shop_id("fern")), writing():
        stop(on_order(other), READER)
    on(other, lambda rma: ship(rma, "carrier", clock.now()))
    work("send")
    assert len(mails.mails) == 1
    with inside(shop_id("fern")), writing():
        start(on_order(other), READER)


def on_order(id: str) -> str:
    found = Return.read(id)
    assert found is not None
    return found.order_id


def test_another_address_hears_nothing_of_a_return(mails: MailServer) -> None:
    id = asked()
    with inside(shop_id("fern")), writing():
        session.get_one(Order, on_order(id)).email = "new@example.com"
    work("send")
    assert mails.mails == []
    assert states() == {"approved": "stopped"}


# --- labels -------------------------------------------------------------------------------------


def bring(id: str, **urls: str) -> None:
    """The provider's label is there."""
    with inside(shop_id("fern")), writing():
        found = Return.locked(id)
        assert found is not None
        [label] = labels_of(id)
        label.status = "done"
        for name, url in urls.items():
            setattr(label, name, url)
        label_ready(found, label.id, clock.now())


def test_a_label_that_is_there_goes_with_the_approval(mails: MailServer, time: Any) -> None:
    id = asked(method="label")
    work("send")
    assert mails.mails == [], "it waits a moment for its label"
    bring(id)
    said = newest(mails)
    assert f"Open the label (PDF): {page(id)}/label" in said
    assert "follows in a mail of its own" not in said
    time.shift(LABEL_WITHIN)
    work("send")
    assert len(mails.mails) == 1


def test_a_label_that_is_late_has_a_mail_of_its_own(mails: MailServer, time: Any) -> None:
    id = asked(method="label")
    time.shift(LABEL_WITHIN)
    assert "follows in a mail of its own" in newest(mails)
    bring(id)
    said = newest(mails)
    assert mails.mails[-1]["Subject"] == "The label for return 1001-R1 is here"
    assert f"{page(id)}/label" in said
    assert len(mails.mails) == 2


def test_a_code_stands_in_the_mail_itself(mails: MailServer) -> None:
    id = asked(method="qr")
    bring(id, qr_url="https://easypost-files.s3.us-west-2.amazonaws.com/qr.png")
    work("send")
    text, html = parts(mails.mails[0])
    assert f'<img src="{page(id)}/label?as=code"' in html
    assert f"{page(id)}/label?as=code" in text


def test_a_label_called_off_is_not_offered(mails: MailServer, time: Any) -> None:
    id = asked(method="label")
    time.shift(LABEL_WITHIN)
    work("send")
    bring(id)
    on(id, lambda rma: cancel(rma, "staff:1", clock.now()))
    work("send")
    assert states() == {"approved": "sent", "label": "superseded", "cancelled": "sent"}


# --- hostile input ------------------------------------------------------------------------------

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{7*7}}{% raw %} %(number)s {0.__class__}",
    "\u202eevil\u2066",
]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_nothing_in_a_return_breaks_out_of_its_mail(
    posting_app: Flask, mail_server: MailServer, time: Any, text: str
) -> None:
    shirt = {"sku": "TEE-M", "title": text, "variant": text, "quantity": 1, "unit_price_minor": 2}
    payment = {"provider": "stripe", "reference": "pi_9", "captured_minor": 492}
    id = asked(shirts(1, "other"), number="9", lines=[shirt], payment=payment)
    note = f"{text}\r\nBcc: eve@example.com"
    on(id, lambda rma: decline(rma, "staff", clock.now(), "no", note))
    work("send")
    [mail] = mail_server.mails
    said, html = parts(mail)
    assert mail["Bcc"] is None
    assert "<script" not in html
    assert "<img src=x" not in html
    assert "49" not in mail["Subject"]
    assert "\u202e" not in said + html


def test_dates_and_money_are_the_readers(
    posting_app: Flask, mail_server: MailServer, time: Any
) -> None:
    """The shop's day in a German reader's form; the night in Austin is another day in Tokyo."""
    with writing():
        session.get_one(Shop, shop_id("fern")).timezone = "Asia/Tokyo"
    with time_machine.travel("2026-11-23T20:00:00Z", tick=False):
        asked()
        with inside(shop_id("fern")), writing():
            session.query(Message).update({"locale": "de"})
        said = newest(mail_server)
    assert "Dienstag, 22. Dezember" in said
    assert "19,00" in said
