"""The e-mail channel against a real SMTP server."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.channels import ChannelError, email
from portal.channels.email import Mail, compose, send
from tests.channels.conftest import MailServer, free_port

SENDER = "House <orders@example.com>"
MAIL = Mail(
    to="mira@example.com",
    subject="Order 1042 is on its way",
    text="It arrives on Thursday – https://fern.example/t/abc\n",
    html="<p>It arrives on Thursday</p>",
    message_id="msg_01@fern.example",
    name="Fern & Fable",
    reply_to="help@fern.example",
    list_unsubscribe="https://fern.example/u/abc",
)


def test_a_mail_arrives_whole(mail_server: MailServer) -> None:
    assert send(MAIL, mail_server.url, SENDER) == "msg_01@fern.example"
    [envelope], [mail] = mail_server.envelopes, mail_server.mails
    assert (envelope.mail_from, envelope.rcpt_tos) == ("orders@example.com", ["mira@example.com"])
    assert mail["From"] == "Fern & Fable <orders@example.com>"
    assert mail["Reply-To"] == "help@fern.example"
    assert mail["Message-ID"] == "<msg_01@fern.example>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe"] == "<https://fern.example/u/abc>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail.get_content_type() == "multipart/alternative"
    text, html = mail.iter_parts()
    assert text.get_content().strip() == MAIL.text.strip()
    assert html.get_content().strip() == MAIL.html


@pytest.mark.parametrize(
    ("answer", "permanent"),
    [("550 no such user", True), ("451 try later", False), ("452 full", False), ("554 no", True)],
)
@pytest.mark.parametrize("at", ["on_rcpt", "on_data"])
def test_a_refusal_is_permanent_only_when_the_code_says_so(
    mail_server: MailServer, at: str, answer: str, permanent: bool
) -> None:
    setattr(mail_server, at, lambda: answer)
    with pytest.raises(ChannelError) as caught:
        send(MAIL, mail_server.url, SENDER)
    assert caught.value.permanent is permanent
    assert not caught.value.outcome_unknown
    assert answer.split()[0] in str(caught.value)
    assert mail_server.envelopes == []


def test_nobody_listening_is_temporary() -> None:
    with pytest.raises(ChannelError) as caught:
        send(MAIL, f"smtp://127.0.0.1:{free_port()}", SENDER)
    assert (caught.value.permanent, caught.value.outcome_unknown) == (False, False)


def test_a_slow_answer_after_the_content_is_unknown(
    mail_server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow() -> str:
        await asyncio.sleep(1.5)
        return "250 taken"

    mail_server.on_data = slow
    monkeypatch.setattr(email, "CONNECT_SECONDS", 0.5)
    with pytest.raises(ChannelError) as caught:
        send(MAIL, mail_server.url, SENDER)
    assert caught.value.outcome_unknown
    assert not caught.value.permanent
    assert len(mail_server.envelopes) == 1, "the server had taken it: that is what unknown means"


def test_a_server_that_drips_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes in time, the greeting never ends."""
    monkeypatch.setattr(email, "TOTAL_SECONDS", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_drip, args=(server,), daemon=True)
        thread.start()
        began = time.monotonic()
        with pytest.raises(ChannelError) as caught:
            send(MAIL, f"smtp://127.0.0.1:{server.getsockname()[1]}", SENDER)
        assert time.monotonic() - began < 4
        assert not caught.value.outcome_unknown
        thread.join(5)


def _drip(server: socket.socket) -> None:
    connection, _ = server.accept()
    with connection:
        try:
            while True:
                connection.sendall(b"2")
                time.sleep(0.1)
        except OSError:
            return


def test_a_connection_that_drops_before_the_content_is_temporary() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=lambda: server.accept()[0].close(), daemon=True)
        thread.start()
        with pytest.raises(ChannelError) as caught:
            send(MAIL, f"smtp://127.0.0.1:{server.getsockname()[1]}", SENDER)
        thread.join(5)
    assert (caught.value.permanent, caught.value.outcome_unknown) == (False, False)


def test_the_demo_sends_without_a_server() -> None:
    assert send(MAIL, "outbox:", SENDER) == MAIL.message_id


FIELDS = ("to", "subject", "name", "reply_to", "message_id", "list_unsubscribe")
BREAKS = ["\r\nBcc: eve@example.com", "\nBcc: eve@example.com", "\rBcc: x", "\u2028Bcc: x", "\x00"]


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("tail", BREAKS, ids=repr)
def test_no_value_can_begin_another_header(field: str, tail: str) -> None:
    with pytest.raises(ChannelError) as caught:
        compose(replace(MAIL, **{field: getattr(MAIL, field) + tail}), SENDER)
    assert caught.value.permanent


def test_hostile_strings_never_reach_a_second_address(
    mail_server: MailServer, shared_data: Path
) -> None:
    hostile = json.loads((shared_data / "security/forms/log_and_header.json").read_text())
    for text in [*hostile, "a@example.com, eve@example.com", "a@example.com>\r\nRCPT TO:<e@x.com"]:
        for name in FIELDS:
            _send_or_refuse(replace(MAIL, **{name: text}), mail_server.url)
    recipients = {to for envelope in mail_server.envelopes for to in envelope.rcpt_tos}
    assert recipients <= {"mira@example.com"}
    for mail in mail_server.mails:
        assert mail["Bcc"] is None
        assert mail["Set-Cookie"] is None
        assert mail.get_all("To") == ["mira@example.com"]


def _send_or_refuse(mail: Mail, url: str) -> None:
    try:
        send(mail, url, SENDER)
    except ChannelError as refused:
        if not refused.permanent:
            raise


@given(st.text(max_size=80))
def test_no_subject_breaks_the_mail(subject: str) -> None:
    try:
        raw = compose(replace(MAIL, subject=subject), SENDER).as_bytes()
    except ChannelError:
        return
    assert raw.lower().count(b"\r\nsubject:") == 1
    assert b"\r\nTo: mira@example.com\r\n" in raw


@pytest.mark.parametrize(
    "address", ["", "mira", "@example.com", "a@b@c@", "a b@example.com", "<a@example.com>;b@x.com"]
)
def test_an_address_that_is_none_is_refused_for_good(address: str) -> None:
    with pytest.raises(ChannelError) as caught:
        compose(replace(MAIL, to=address), SENDER)
    assert caught.value.permanent


def test_other_scripts_are_sent(mail_server: MailServer) -> None:
    mail = replace(MAIL, to="joerg@exämple.com", subject="Bestellung №7 ist da", name="Größe & Co")
    send(mail, mail_server.url, SENDER)
    assert mail_server.envelopes[0].rcpt_tos == ["joerg@xn--exmple-cua.com"]
    assert mail_server.mails[0]["Subject"] == "Bestellung №7 ist da"
