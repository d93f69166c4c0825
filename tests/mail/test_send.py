"""From the outbox to a real mail server: once as far as can be told, at least once for sure."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import parseaddr

import pytest
from flask import Flask

from portal import clock
from portal.channels import email
from portal.db import every_shop, inside, session, writing
from portal.jobs import send
from portal.jobs.work import ATTEMPTS, work
from portal.keys import seal, unseal
from portal.models import Due, Link, Message, Order, Shop
from portal.models.due import LEASE, claim
from portal.models.outbox import confirm, plan_code, start, stop
from tests.channels.conftest import MailServer
from tests.conftest import running_app, shop_id
from tests.mail.conftest import FROM
from tests.mail.stories import READER, START, hears, messages, ordered

CODE = "804213"


def shipped(time, number: str = "1042", slug: str = "fern") -> str:
    """An order whose parcel has just begun to move; gives its id."""
    order_id, [parcel] = ordered(slug, number=number)
    hears(parcel, ("in_transit", clock.now() - timedelta(minutes=5)), slug=slug)
    return order_id


def coded(time, recipient: str = READER) -> str:
    """An order whose code is asked for; gives its id."""
    order_id, _ = ordered(parcels=0)
    with inside(shop_id("fern")), writing():
        plan_code(session.get_one(Order, order_id), CODE, "lift", recipient, clock.now())
    return order_id


def text_of(mail: EmailMessage) -> str:
    part = mail.get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def due() -> list[Due]:
    with every_shop():
        found = session.query(Due).filter_by(queue="send").all()
        session.expunge_all()
        return found


def test_a_message_goes_out_once_and_is_kept_sealed(
    any_posting_app: Flask, mail_server: MailServer, time
) -> None:
    order_id = shipped(time)
    for _ in range(3):
        work("send")
    [mail], [message] = mail_server.mails, messages()
    assert (message.state, message.sent_at, message.error) == ("sent", START, "")
    assert message.subject == mail["Subject"] == "Order 1042 is on its way"
    assert f"<{message.reference}>" == mail["Message-ID"] == f"<{message.id}@house.example>"
    assert mail["To"] == READER
    assert "1042" not in message.text + message.html
    text, html = mail.iter_parts()  # type: ignore[attr-defined]
    assert unseal(message.text).split() == text.get_content().split()
    assert unseal(message.html).split() == html.get_content().split()
    with inside(shop_id("fern")):
        link = f"http://fern.localhost:8000/t/{Link.of(order_id)}"
    assert link in text.get_content()
    assert html.get_content().count(f'href="{link}"') == 2  # the name and the one button
    assert due() == []


def test_the_way_out_stands_in_the_header_and_at_the_foot(
    posting_app: Flask, mail_server: MailServer, time
) -> None:
    order_id = shipped(time)
    with inside(shop_id("fern")), writing():
        start(order_id, "friend@example.com")
        confirm(order_id, "friend@example.com", clock.now())
        session.query(Message).delete()
    hears_delivery(order_id)
    work("send")
    for mail in mail_server.mails:
        way_out = re.fullmatch(r"<(http://fern\.localhost:8000/u/[^>]+)>", mail["List-Unsubscribe"])
        assert way_out
        assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        text, html = (part.get_content() for part in mail.iter_parts())  # type: ignore[attr-defined]
        # Behind the order's link are the wishes of its own address; others can only stop.
        foot = "/updates" if mail["To"] == READER else way_out[1]
        assert foot in text
        assert foot in html
    assert {mail["To"] for mail in mail_server.mails} == {READER, "friend@example.com"}


def hears_delivery(order_id: str) -> None:
    with inside(shop_id("fern")):
        [parcel] = [one.id for one in session.get_one(Order, order_id).shipments]
    hears(parcel, ("delivered", clock.now() - timedelta(minutes=1)))


def test_a_full_mailbox_is_tried_again_ever_later_until_it_takes_the_mail(
    any_posting_app: Flask, mail_server: MailServer, time
) -> None:
    shipped(time)
    mail_server.on_data = lambda: "452 full"
    waits = []
    for _ in range(12):
        work("send")
        [waiting] = due()
        waits.append((waiting.at - clock.now()).total_seconds())
        time.move_to(waiting.at)
    assert waits[:5] == [15, 15, 30, 60, 120]
    assert max(waits) == 3600
    assert "452 full" in messages()[0].error
    mail_server.on_data = None
    work("send")
    assert [one.state for one in messages()] == ["sent"]
    assert len(mail_server.mails) == 1
    assert len(waits) > ATTEMPTS


def test_a_mailbox_that_does_not_exist_ends_it(
    posting_app: Flask, mail_server: MailServer, time
) -> None:
    shipped(time)
    mail_server.on_rcpt = lambda: "550 no such user"
    work("send")
    [message] = messages()
    assert (message.state, "550 no such user" in message.error) == ("dead", True)
    assert due() == []


def test_what_is_not_sent_in_time_dies_and_says_why(
    posting_app: Flask, mail_server: MailServer, time
) -> None:
    shipped(time)
    mail_server.on_data = lambda: "451 later"
    work("send")
    time.move_to(START + timedelta(days=2))
    work("send")
    [message] = messages()
    assert message.state == "dead"
    assert message.error == "It could not be sent in time. The mail server answered 451 later"


def test_an_unknown_outcome_is_tried_again_under_the_same_id_and_not_for_ever(
    posting_app: Flask, mail_server: MailServer, time, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(email, "CONNECT_SECONDS", 0.3)

    async def slow() -> str:
        await asyncio.sleep(0.6)
        return "250 taken"

    mail_server.on_data = slow
    shipped(time)
    for _ in range(5):
        work("send")
        if waiting := due():
            assert messages()[0].state == "wanted"
            time.move_to(waiting[0].at)
    [message] = messages()
    assert message.state == "dead"
    assert "may have been taken" in message.error
    assert len(mail_server.mails) == send.MOST_DOUBTS
    assert len({mail["Message-ID"] for mail in mail_server.mails}) == 1


def test_a_worker_killed_between_sending_and_storing_sends_the_same_mail_again(
    any_posting_app: Flask, mail_server: MailServer, time, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """Nothing catches it, as nothing catches kill -9."""

    shipped(time)
    with every_shop(), writing():
        [lease] = claim("send", 1, clock.now())
    with monkeypatch.context() as dying:
        dying.setattr(send, "seal", lambda _text: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            send.perform(lease)
    session.remove()
    assert len(mail_server.mails) == 1
    work("send")
    assert len(mail_server.mails) == 1, "the lease still runs"
    time.move_to(START + LEASE)
    work("send")
    first, second = mail_server.mails
    assert first["Message-ID"] == second["Message-ID"]
    assert [one.state for one in messages()] == ["sent"]
    assert due() == []


def test_who_lost_the_lease_stores_nothing(
    posting_app: Flask, mail_server: MailServer, time
) -> None:
    shipped(time)
    with every_shop(), writing():
        [old] = claim("send", 1, clock.now())
    time.move_to(START + LEASE)
    with every_shop(), writing():
        [new] = claim("send", 1, clock.now())
    send.perform(old)
    assert messages()[0].state == "wanted"
    send.perform(new)
    assert messages()[0].state == "sent"


def test_what_was_dropped_or_stopped_meanwhile_never_goes(
    posting_app: Flask, mail_server: MailServer, time
) -> None:
    dropped, stopped = shipped(time), shipped(time, "1043")
    with inside(shop_id("fern")), writing():
        session.query(Message).filter_by(order_id=dropped).update({"state": "superseded"})
        stop(stopped, READER)
    work("send")
    assert mail_server.mails == []
    assert sorted(one.state for one in messages()) == ["stopped", "superseded"]
    assert due() == []


def test_an_address_the_order_no_longer_has_hears_nothing(
    posting_app: Flask, mail_server: MailServer, time
) -> None:
    order_id = shipped(time)
    with inside(shop_id("fern")), writing():
        session.get_one(Order, order_id).email = "new@example.com"
    work("send")
    assert mail_server.mails == []


def test_a_code_is_opened_for_sending_alone_and_kept_nowhere(
    any_posting_app: Flask, mail_server: MailServer, time
) -> None:
    coded(time)
    assert messages()[0].sealed
    work("send")
    [mail], [message] = mail_server.mails, messages()
    for part in mail.iter_parts():  # type: ignore[attr-defined]
        assert CODE in part.get_content()
    assert CODE not in mail["Subject"]
    assert mail["List-Unsubscribe"] is None
    assert (message.state, message.sealed) == ("sent", "")
    assert CODE not in unseal(message.text) + unseal(message.html)
    assert send.DOTS in unseal(message.text)


@pytest.mark.parametrize("end", ["dead", "late"])
def test_a_code_that_does_not_go_out_is_wiped_too(
    posting_app: Flask, mail_server: MailServer, time, end: str
) -> None:
    coded(time, "nobody@example.com")
    if end == "dead":
        mail_server.on_rcpt = lambda: "550 no such user"
    else:
        time.move_to(START + timedelta(minutes=10))
    work("send")
    [message] = messages()
    assert (message.state, message.sealed) == ("dead", "")
    assert mail_server.mails == []


def test_who_stopped_the_news_still_gets_the_code_asked_for(
    posting_app: Flask, mail_server: MailServer, time
) -> None:
    order_id = coded(time)
    with inside(shop_id("fern")), writing():
        stop(order_id, READER)
    work("send")
    assert len(mail_server.mails) == 1


def test_without_a_mail_server_messages_wait_and_say_what_is_missing(app: Flask, time) -> None:
    shipped(time)
    work("send")
    [message] = messages()
    assert (message.state, message.error) == ("wanted", send.NOT_SET_UP)
    [waiting] = due()
    assert waiting.at == START + send.OFF_FOR
    time.move_to(START + timedelta(days=3))
    work("send")
    [message] = messages()
    assert (message.state, message.error) == ("dead", f"{send.TOO_LATE} {send.NOT_SET_UP}")


def test_the_demo_keeps_what_it_would_have_sent(sqlite_url: str, time) -> None:
    for _app in running_app(sqlite_url, SMTP_URL="outbox:", MAIL_FROM=FROM):
        coded(time)
        work("send")
        [message] = messages()
        assert message.state == "sent"
        assert CODE in unseal(message.text)


def test_a_message_sealed_with_a_lost_key_dies_with_the_reason(
    posting_app: Flask, mail_server: MailServer, time
) -> None:
    coded(time)
    with inside(shop_id("fern")), writing():
        session.query(Message).update({"sealed": seal("1")[:-8] + "AAAAAA=="})
    work("send")
    assert messages()[0].state == "dead"
    assert "key that is no longer set" in messages()[0].error


def test_what_cannot_be_made_is_given_up_and_spoils_nothing_else(
    posting_app: Flask, mail_server: MailServer, time
) -> None:
    odd = shipped(time)
    with inside(shop_id("fern")), writing():
        broken = {"kind": "code", "facts": {"number": 7}}
        session.query(Message).filter_by(order_id=odd).update(broken)
    shipped(time, "1043")
    for _ in range(ATTEMPTS + 1):
        work("send")
        for waiting in due():
            time.move_to(max(clock.now(), waiting.at))
    states = {one.order_id == odd: one.state for one in messages()}
    assert states == {True: "dead", False: "sent"}


def test_each_shop_writes_in_its_own_name(
    posting_app: Flask, mail_server: MailServer, time
) -> None:
    with writing():
        for slug in ("fern", "volta"):
            shop = Shop.named(slug)
            assert shop is not None
            shop.support_email = f"help@{slug}.example"
    shipped(time)
    shipped(time, slug="volta")
    work("send")
    told = {
        (*parseaddr(mail["From"]), mail["Reply-To"].addresses[0].domain)
        for mail in mail_server.mails
    }
    assert told == {
        ("Fern & Fable", "orders@house.example", "fern.example"),
        ("Volta Nine", "orders@house.example", "volta.example"),
    }
    for mail in mail_server.mails:
        slug = "fern" if "Fern" in mail["From"] else "volta"
        assert f"http://{slug}.localhost:8000/t/" in text_of(mail)


def test_times_are_told_where_the_parcel_is_going(
    posting_app: Flask, mail_server: MailServer, time
) -> None:
    _, [parcel] = ordered()
    time.move_to(datetime.fromisoformat("2026-11-24T05:30:00+00:00"))
    hears(parcel, ("delivered", datetime.fromisoformat("2026-11-24T05:10:00+00:00")))
    work("send")
    text = text_of(mail_server.mails[0])
    assert "Monday 23 November at 11:10" in text
    assert "Tuesday" not in text
