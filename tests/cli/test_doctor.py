"""Doctor: every line says how it stands and what to do, and no line holds a secret."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from flask import Flask
from sqlalchemy import select

from carriers.easypost import EasyPost
from portal import clock, create_app
from portal.db import db, every_shop, inside, session, writing
from portal.jobs.sweep import HEARTBEAT
from portal.migrations import downgrade
from portal.models import Message, Order, Shop
from portal.models.due import plan, set_gauge
from portal.models.event import keep
from portal.sandbox import Box, create_sandbox, running
from portal.sources.document import OrderDocument
from portal.sources.sentences import read_as
from tests.channels.conftest import MailServer
from tests.channels.conftest import mail_server as mail_server
from tests.cli.conftest import Run
from tests.conftest import settings_for, shop_id

KEY = "EZTKdoctor0123456789"
HOOK_SECRET = "hook-secret-0123456789"
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def house(environ: dict[str, str]) -> Iterator[Flask]:
    app = create_app(settings_for(environ["DATABASE_URL"], QUEUE_URL=environ["QUEUE_URL"]))
    with app.app_context():
        yield app
        session.remove()
        db.engine.dispose()


@pytest.fixture
def easypost() -> Iterator[Box]:
    with running(create_sandbox(api_key=KEY, clock=clock.now)) as box:
        yield box


@pytest.fixture
def keys(easypost: Box) -> dict[str, str]:
    return {
        "EASYPOST_API_KEY": KEY,
        "EASYPOST_API_BASE": easypost.api_base,
        "EASYPOST_WEBHOOK_SECRET": HOOK_SECRET,
    }


def beat() -> None:
    with every_shop(), writing():
        set_gauge(HEARTBEAT, 1.0, clock.now())


def register(box: Box, url: str) -> None:
    client = EasyPost(KEY, box.api_base)._client()
    client.webhook.create(url=url, webhook_secret=HOOK_SECRET)


@SQLITE
def test_a_house_in_order_has_nothing_that_fails(
    run: Run, house: Flask, fern: str, keys: dict[str, str], easypost: Box
) -> None:
    beat()
    register(easypost, "http://127.0.0.1:8000/hooks/easypost/fern")
    done = run("doctor", **keys)
    assert done.exit_code == 0, done.output
    assert "FAIL" not in done.output
    for said in (
        "ok    settings   all that serving needs is set",
        "ok    schema",
        "ok    queue      answers",
        "ok    worker     alive",
        "ok    easypost   answers and takes the key (fern)",
        "ok    webhook    registered for fern",
        "ok    clock      agrees with EasyPost's",
    ):
        assert said in done.output
    for secret in (KEY, HOOK_SECRET, "a-secret-for-tests"):
        assert secret not in done.output


def test_a_house_that_was_never_set_up_says_where_to_begin(
    run: Run, house: Flask, environ: dict[str, str]
) -> None:
    downgrade("base")
    del environ["SECRET_KEY"]
    done = run("doctor", "--offline")
    assert done.exit_code == 1
    assert "FAIL  settings   SECRET_KEY is not set." in done.output
    assert "→ Make one: python3 -c" in done.output
    assert "FAIL  schema     none: not this version's" in done.output
    assert "→ Run: porchlight migrate" in done.output


def test_a_worker_that_is_not_there_and_work_that_waits_are_named(
    run: Run, house: Flask, fern: str
) -> None:
    assert "FAIL  worker     has never run" in run("doctor", "--offline").output
    with every_shop(), writing():
        set_gauge(HEARTBEAT, 1.0, clock.now() - timedelta(hours=3))
        plan("send", "msg_1", 1, clock.now() - timedelta(hours=1))
    done = run("doctor", "--offline")
    assert "FAIL  worker     was last alive 3 hours ago" in done.output
    assert "warn  backlog    1 to send, the oldest due 60 minutes ago" in done.output


def test_a_parcel_with_a_problem_comes_with_its_fix(run: Run, house: Flask, fern: str) -> None:
    said = {
        "number": "77",
        "shipments": [{"carrier": "Bluebird", "tracking_number": "1Z999AA10123456784"}],
    }
    with inside(shop_id(fern)), writing():
        Order.upsert(read_as(OrderDocument, said), clock.now())
    done = run("doctor", "--offline")
    assert "warn  parcels    fern order 77, Bluebird 1Z999AA10123456784: We know no" in done.output
    assert "→ Set the carrier to UPS." in done.output


def test_hooks_and_messages_that_came_to_nothing_are_counted(
    run: Run, house: Flask, fern: str
) -> None:
    with inside(shop_id(fern)), writing():
        keep(
            {
                "provider": "easypost",
                "account": "a",
                "key": "k",
                "shop_id": shop_id(fern),
                "kind": "",
                "number_key": "",
                "body": b"\xff",
                "body_digest": "d",
                "state": "quarantined",
                "error": "not UTF-8",
                "received_at": clock.now(),
            }
        )
        session.add(
            Message(kind="shipped", recipient="x", cause="c", state="dead", error="No such box.")
        )
    done = run("doctor", "--offline")
    assert "warn  hooks      1 quarantined in the last week" in done.output
    assert "warn  messages   fern: 1 undeliverable in the last week (No such box.)" in done.output


@SQLITE
def test_a_refused_key_a_missing_hook_and_one_given_up_are_told_apart(
    run: Run, house: Flask, fern: str, keys: dict[str, str], easypost: Box
) -> None:
    refused = run("doctor", **{**keys, "EASYPOST_API_KEY": "EZTKwrong0000000000"})
    assert refused.exit_code == 1
    assert "FAIL  easypost" in refused.output
    assert "EZTKwrong" not in refused.output
    assert "warn  webhook    none is registered for fern" in run("doctor", **keys).output
    register(easypost, "http://127.0.0.1:8000/hooks/easypost/fern")
    for hook in easypost.account.hooks.values():
        hook.disabled_at = clock.now()
    given_up = run("doctor", **keys)
    assert given_up.exit_code == 1
    assert "FAIL  webhook    EasyPost has given up on" in given_up.output


@SQLITE
def test_no_key_and_no_answer_are_no_failures_of_the_house(
    run: Run, house: Flask, fern: str, keys: dict[str, str]
) -> None:
    beat()
    assert "warn  easypost   EASYPOST_API_KEY is not set" in run("doctor").output
    away = run("doctor", **{**keys, "EASYPOST_API_BASE": "http://127.0.0.1:9/v2"})
    assert "warn  easypost" in away.output
    assert away.exit_code == 0, away.output


class SevenMinutesAhead(BaseHTTPRequestHandler):
    """Answers as EasyPost does to the question for its hooks, by another clock."""

    def do_GET(self) -> None:
        body = b'{"webhooks": []}'
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def date_time_string(self, timestamp: float | None = None) -> str:
        return format_datetime(clock.now() + timedelta(minutes=7), usegmt=True)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@SQLITE
def test_a_clock_that_is_off_fails(run: Run, house: Flask, fern: str, keys: dict[str, str]) -> None:
    with HTTPServer(("127.0.0.1", 0), SevenMinutesAhead) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}/v2"
        done = run("doctor", **{**keys, "EASYPOST_API_BASE": base})
        server.shutdown()
    assert done.exit_code == 1
    assert re.search(r"FAIL  clock +this machine's clock is 4[12]\d seconds off", done.output)
    assert "timedatectl set-ntp true" in done.output


@SQLITE
def test_a_shops_own_key_that_cannot_be_opened_is_named(run: Run, house: Flask, fern: str) -> None:
    with writing():
        shop = Shop.named(fern)
        assert shop is not None
        shop.keep_key("easypost_api_key", KEY)
    other = "another-secret-of-the-house-98765432109876"
    done = run("doctor", SECRET_KEY=other)
    assert done.exit_code == 1
    assert "FAIL  easypost   the key of fern was sealed with a SECRET_KEY" in done.output
    assert session.scalar(select(Shop.slug)) == "fern"


@SQLITE
def test_the_mail_server_is_greeted(
    run: Run, house: Flask, fern: str, mail_server: MailServer
) -> None:
    sender = {"MAIL_FROM": "Fern <orders@fern.example.com>"}
    fine = run("doctor", SMTP_URL=mail_server.url, **sender)
    assert "ok    mail       the mail server answers" in fine.output
    away = run("doctor", SMTP_URL="smtp://127.0.0.1:9", **sender)
    assert "FAIL  mail       The mail server did not answer" in away.output
    assert mail_server.envelopes == []


@SQLITE
def test_a_database_that_does_not_answer_is_said_and_the_rest_is_still_looked_at(
    run: Run, environ: dict[str, str]
) -> None:
    done = run("doctor", DATABASE_URL="postgresql://nobody:pw12345@127.0.0.1:9/none")
    assert done.exit_code == 1
    assert "FAIL  database   does not answer" in done.output
    assert "warn  mail       SMTP_URL is not set" in done.output
    assert "pw12345" not in done.output
