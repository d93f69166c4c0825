"""Every command with DATABASE_URL alone, and what is made up once SECRET_KEY is there."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select, update

from portal import clock, create_app
from portal.api.replies import order_replies
from portal.config import SettingsError
from portal.db import db, every_shop, inside, session, writing
from portal.jobs.work import work
from portal.keys import seal, sign
from portal.models import AuditEntry, Link, Message, Order
from portal.models.chain import seal_some
from portal.models.outbox import plan_question
from returns.standard import standard_policy
from tests.cli.conftest import Run
from tests.cli.test_backup import PATH
from tests.conftest import bearer, settings_for, shop_id

HOUSE = ("SECRET_KEY", "BASE_URL", "QUEUE_URL", "MEDIA_ROOT")
ORDERS = "number,currency,email,sku,title,quantity,unit_price\n"


@pytest.fixture
def bare(run: Run, environ: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command in an empty folder with DATABASE_URL alone."""
    monkeypatch.chdir(tmp_path)
    for name in HOUSE:
        monkeypatch.delenv(name, raising=False)
        environ.pop(name, None)
    return run


@pytest.fixture
def shop(bare: Run) -> str:
    """The slug of a shop made without a key."""
    made = bare("shop", "create", "fern", "--currency", "EUR")
    assert made.exit_code == 0, made.output
    return "fern"


@pytest.fixture
def imported(bare: Run, shop: str, tmp_path: Path) -> str:
    """A shop whose one order was imported without a key."""
    (tmp_path / "orders.csv").write_text(ORDERS + "1001,EUR,ann@example.com,MUG,Mug,1,12.00\n")
    done = bare("orders", "import", "orders.csv", "--shop", shop)
    assert "Imported: 1 new" in done.output, done.output
    return shop


@pytest.fixture
def house(imported: str, environ: dict[str, str]) -> Iterator[Flask]:
    """The house as `serve` and `worker` know it, with its key."""
    app = create_app(settings_for(environ["DATABASE_URL"]))
    with app.app_context():
        yield app
        session.remove()
        db.engine.dispose()


def test_every_command_does_its_work_with_a_database_alone(
    bare: Run, imported: str, tmp_path: Path
) -> None:
    (tmp_path / "policy.json").write_text(json.dumps(standard_policy("EUR", "UTC")))
    told = {
        "migrate": "The schema is up to date.",
        "shop list": "fern  http",
        "token create --shop fern --scope orders": r"pl_[\w-]{32}\n\Z",
        "staff invite ann@example.com --shop fern --role owner": r"/staff/invitation/[\w-]+\n\Z",
        "return-address --shop fern --name Ann --line1 Street --city Bonn --country DE": "",
        "orders import orders.csv --shop fern": "0 new, 0 changed, 1 the same",
        "orders import orders.csv --shop fern --dry-run": "Nothing was stored",
        "policy check policy.json": "fit to be published",
        "policy replay policy.json --shop fern": "",
        "reconcile": "",
        "audit verify": "ok",
        "backup house.tar": "checked. Keep SECRET_KEY apart",
        "restore house.tar --force": "Restored: 1 orders",
        "erase ann@example.com --shop fern --yes": "Forgotten: 1 orders",
    }
    for words, expected in told.items():
        done = bare(*words.split(), **PATH)
        assert done.exit_code == 0, (words, done.output)
        assert re.search(expected, done.output), (words, done.output)


def test_the_doctor_and_track_run_without_a_key_and_name_only_what_they_lack(
    bare: Run, shop: str
) -> None:
    doctor = bare("doctor", "--offline")
    assert not doctor.exception or isinstance(doctor.exception, SystemExit), doctor.output
    assert "fern" in doctor.output
    assert "EASYPOST_API_KEY is not set" in bare("track", "UPS", "1Z999AA10123456784").output


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_what_stays_running_names_each_setting_that_it_needs(bare: Run, command: str) -> None:
    done = bare(command)
    assert done.exit_code == 2
    assert "SECRET_KEY is not set" in done.output
    assert "BASE_URL is not set" in done.output
    assert "DATABASE_URL is not set" not in done.output


def test_nothing_is_sealed_or_signed_with_no_key(sqlite_url: str) -> None:
    app = create_app(settings_for(sqlite_url))
    app.extensions["porchlight"] = type(app.extensions["porchlight"])(database_url=sqlite_url)
    with app.app_context():
        for act in (lambda: seal("x"), lambda: sign("purpose", "x")):
            with pytest.raises(SettingsError, match="SECRET_KEY is not set"):
                act()
        db.engine.dispose()


# The link of an order that came without a key


def test_the_worker_makes_the_link_that_an_import_left_for_later(house: Flask) -> None:
    with inside(shop_id("fern")):
        order_id = session.scalars(select(Order.id)).one()
        assert Link.of(order_id) == ""
    assert work("link") == 1
    with inside(shop_id("fern")):
        token = Link.of(order_id)
        assert len(token) == 24
    assert house.test_client().get(f"/t/{token}").status_code == 200
    assert work("link") == 0


def test_a_reply_that_needs_the_link_before_makes_it_once(house: Flask) -> None:
    with inside(shop_id("fern")):
        order_id = session.scalars(select(Order.id)).one()
    headers = bearer("fern", "orders")
    client = house.test_client()
    first = client.get(f"/api/v1/orders/{order_id}", headers=headers).get_json()
    token = first["tracking_url"].rpartition("/t/")[2]
    assert client.get(f"/t/{token}").status_code == 200
    again = client.get("/api/v1/orders?number=1001", headers=headers).get_json()["orders"][0]
    assert again["tracking_url"] == first["tracking_url"]
    assert work("link") == 1
    with every_shop():
        assert len(session.scalars(select(Link.id).where(Link.order_id == order_id)).all()) == 1


def test_a_mail_that_needs_the_link_before_makes_it(house: Flask, environ: dict[str, str]) -> None:
    more = {"SMTP_URL": "outbox:", "MAIL_FROM": "Fern <orders@example.com>"}
    mailing = create_app(settings_for(environ["DATABASE_URL"], **more))
    with mailing.app_context():
        with inside(shop_id("fern")), writing():
            order = session.scalars(select(Order)).one()
            plan_question(order, "q:1", {"question": "Which colour?"}, clock.now())
            order_id = order.id
        assert work("send") == 1
        with inside(shop_id("fern")):
            assert session.scalars(select(Message.state)).one() == "sent"
            assert Link.of(order_id)
        session.remove()
        db.engine.dispose()


def test_a_link_lifted_in_a_browser_does_not_hide_the_orders_own(house: Flask) -> None:
    with inside(shop_id("fern")):
        with writing():
            order_id = session.scalars(select(Order.id)).one()
            own = Link.issue(order_id)
            Link.lend(order_id, "b" * 64, clock.now())
        with writing():
            Link.lift(session.scalars(select(Link.id).order_by(Link.id.desc()).limit(1)).one())
        order = session.get_one(Order, order_id)
        assert order_replies([order], "https://x.example")[0].tracking_url.endswith(own)


def test_a_quote_that_nobody_can_check_stops_an_import_and_is_not_taken_for_a_forgery(
    bare: Run, shop: str, tmp_path: Path
) -> None:
    order = {"number": "1", "currency": "EUR", "protection_quote": "signed"}
    (tmp_path / "orders.json").write_text(json.dumps([order]))
    done = bare("orders", "import", "orders.json", "--shop", shop)
    assert done.exit_code == 1
    assert "can be checked with the house's SECRET_KEY only" in done.output


# Signatures


def test_without_a_key_the_trail_is_checked_but_for_its_signature(bare: Run, house: Flask) -> None:
    with inside(shop_id("fern")), writing():
        seal_some()
    done = bare("audit", "verify")
    assert done.exit_code == 0, done.output
    assert "signature at each chain's end was not checked" in done.output
    with every_shop(), writing():
        session.execute(update(AuditEntry).values(who="nobody"))
    broken = bare("audit", "verify")
    assert broken.exit_code == 1
    assert "is not as it was sealed" in broken.output


def test_a_backup_of_a_house_with_a_key_is_restored_without_one_and_says_what_was_not_checked(
    bare: Run, house: Flask, environ: dict[str, str]
) -> None:
    secret = house.extensions["porchlight"].secret_key
    assert bare("backup", "house.tar", SECRET_KEY=secret, **PATH).exit_code == 0
    session.remove()
    db.engine.dispose()
    done = bare("restore", "house.tar", "--force", **PATH)
    assert done.exit_code == 0, done.output
    assert "nobody could check that it is the one this backup was made with" in done.output
    assert os.environ.get("SECRET_KEY") is None
