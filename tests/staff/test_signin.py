"""Signing in: by invitation and password, within limits, at one shop only."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from click.testing import CliRunner
from flask import Flask

from portal import clock
from portal.cli import porchlight
from portal.db import inside, session, writing
from portal.models import AuditEntry
from portal.models.staff import Staff
from tests.conftest import shop_id
from tests.pages.browser import Browser

PASSWORD = "seven green umbrellas"


def invited(email: str = "dana@fern.test", role: str = "agent", slug: str = "fern") -> str:
    """The path of a new invitation."""
    with inside(shop_id(slug)), writing():
        _, token = Staff.invite(email, role, clock.now())
    return f"/staff/invitation/{token}"


def joined(
    app: Flask, email: str = "dana@fern.test", role: str = "agent", slug: str = "fern"
) -> Browser:
    """A browser of somebody who accepted an invitation."""
    browser = Browser(app, slug)
    answer = browser.send(invited(email, role, slug), name="Dana", password=PASSWORD)
    assert answer.status_code == 303, answer.text
    return browser


def sign_in(browser: Browser, email: str = "dana@fern.test", password: str = PASSWORD) -> object:
    return browser.send("/staff/sign-in", email=email, password=password)


def is_in(browser: Browser) -> bool:
    return browser.get("/staff").headers["Location"].endswith("/queue")


def test_an_invitation_sets_the_password_and_signs_in(any_app: Flask) -> None:
    browser = joined(any_app)
    assert is_in(browser)
    other = Browser(any_app)
    assert not is_in(other)
    assert sign_in(other).status_code == 302  # type: ignore[attr-defined]
    assert is_in(other)


def test_signing_out_ends_it(app: Flask) -> None:
    browser = joined(app)
    answer = browser.send("/staff/sign-out", form="/staff/queue")
    assert answer.status_code == 302
    assert not is_in(browser)


def test_an_invitation_works_once_and_for_seven_days(any_app: Flask) -> None:
    path = invited()
    with time_machine.travel(clock.now() + timedelta(days=7, seconds=1)):
        assert Browser(any_app).get(path).status_code == 410
    assert Browser(any_app).send(path, name="D", password=PASSWORD).status_code == 303
    assert Browser(any_app).get(path).status_code == 410
    assert Browser(any_app).get("/staff/invitation/" + "x" * 24).status_code == 410


def test_a_weak_password_is_refused_and_the_invitation_stays(app: Flask) -> None:
    path, browser = invited(), Browser(app)
    answer = browser.send(path, name="Dana", password="short")
    assert answer.status_code == 422
    assert "12" in answer.text
    assert 'value="Dana"' in answer.text
    assert "short" not in re.sub(r"<style>.*?</style>", "", answer.text)
    assert browser.send(path, name="Dana", password=PASSWORD).status_code == 303


def test_another_invitation_signs_every_browser_out(app: Flask) -> None:
    browser = joined(app)
    again = invited()
    assert is_in(browser)  # until it is accepted
    Browser(app).send(again, name="Dana", password=PASSWORD + " two")
    assert not is_in(browser)


def test_a_wrong_password_and_an_unknown_address_are_answered_alike(app: Flask) -> None:
    joined(app)
    wrong = sign_in(Browser(app), password="not the password")
    unknown = sign_in(Browser(app), email="nobody@fern.test")

    def told(answer: object) -> str:
        text: str = answer.text  # type: ignore[attr-defined]
        return re.sub(r'value="[^"]*"', "", text)

    assert told(wrong) == told(unknown)
    assert "do not fit together" in told(wrong)


def test_tries_are_limited_and_the_right_password_works_later(app: Flask) -> None:
    joined(app)
    with time_machine.travel(clock.now(), tick=False) as time:
        seen = [
            sign_in(Browser(app), password=f"wrong {n}").status_code  # type: ignore[attr-defined]
            for n in range(12)
        ]
        assert seen[-1] == 429
        assert sign_in(Browser(app)).status_code == 429  # type: ignore[attr-defined]
        time.shift(timedelta(hours=1))
        assert sign_in(Browser(app)).status_code == 302  # type: ignore[attr-defined]


def test_staff_of_one_shop_are_strangers_at_another(app: Flask) -> None:
    browser = joined(app)
    neighbour = Browser(app, slug="volta")
    sign_in(neighbour)
    assert not is_in(neighbour)
    sid = browser.client.get_cookie("session", domain="fern.localhost")
    assert sid is not None
    neighbour.client.set_cookie("session", sid.value, domain="volta.localhost")
    assert not is_in(neighbour)


def test_the_session_id_changes_at_sign_in(app: Flask) -> None:
    joined(app)
    browser = Browser(app)
    browser.get("/staff/sign-in")
    before = browser.client.get_cookie("session", domain="fern.localhost")
    sign_in(browser)
    after = browser.client.get_cookie("session", domain="fern.localhost")
    assert before is not None
    assert after is not None
    assert before.value != after.value


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example"]
)
def test_it_does_not_lead_elsewhere(app: Flask, elsewhere: str) -> None:
    joined(app)
    browser = Browser(app)
    answer = browser.send(
        f"/staff/sign-in?next={elsewhere}",
        form="/staff/sign-in",
        email="dana@fern.test",
        password=PASSWORD,
        next=elsewhere,
    )
    where = urlsplit(answer.headers.get("Location", ""))
    assert where.netloc in {"", "fern.localhost:8000"}


def test_a_form_without_its_token_is_refused(app: Flask) -> None:
    joined(app)
    browser = Browser(app)
    data = {"email": "dana@fern.test", "password": PASSWORD}
    assert browser.open("/staff/sign-in", "POST", data=data).status_code == 400


def test_who_left_is_out(app: Flask) -> None:
    browser = joined(app)
    with inside(shop_id("fern")), writing():
        session.query(Staff).one().active = False
    assert not is_in(browser)
    assert sign_in(Browser(app)).status_code == 200  # type: ignore[attr-defined]


def test_what_was_done_is_written_down_without_the_password(app: Flask) -> None:
    joined(app)
    with inside(shop_id("fern")):
        acts = [entry.act for entry in session.query(AuditEntry)]
        kept = session.query(Staff).one().password
    assert "staff.accepted" in acts
    assert kept is not None
    assert kept.startswith("$argon2id$")


def test_the_command_prints_the_link_alone_on_its_last_line(
    app: Flask, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", sqlite_url)
    monkeypatch.setenv("SECRET_KEY", app.extensions["porchlight"].secret_key)
    told = CliRunner().invoke(
        porchlight, ["staff", "invite", "Ann@Fern.test", "--shop", "fern", "--role", "owner"]
    )
    assert told.exit_code == 0, told.output
    link = told.output.splitlines()[-1]
    assert link.startswith("http://fern.localhost:8000/staff/invitation/")
    assert Browser(app).get(link.partition(":8000")[2]).status_code == 200
