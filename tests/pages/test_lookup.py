"""Finding an order: any shape of its number, one answer for all that is wrong, and limits."""

from __future__ import annotations

import csv
import itertools
import json
import re
import statistics
import time as stopwatch
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal import clock, limits
from portal.db import inside, session
from portal.models import Link
from tests.conftest import running_app, shop_id
from tests.pages.browser import TOKEN, Browser
from tests.pages.orders import EMAIL, POSTCODE, placed

WRONG = {
    "number": {"number": "1043", "proof": EMAIL},
    "e-mail": {"number": "1042", "proof": "eve.canary@mail.example"},
    "postcode": {"number": "1042", "proof": "90210-CAX"},
    "both": {"number": "1043", "proof": "eve.canary@mail.example"},
}


@pytest.fixture
def time():
    with time_machine.travel("2026-11-25T16:00:00+00:00", tick=False) as travelled:
        yield travelled


# --- who finds --------------------------------------------------------------------------------


@pytest.mark.parametrize("proof", [EMAIL, POSTCODE, f" {EMAIL.upper()} ", "90210 can"])
def test_number_and_proof_lead_to_a_view_grade_page(any_app: Flask, proof: str) -> None:
    placed()
    browser = Browser(any_app)
    answer = browser.look_up("1042", proof)
    assert answer.status_code == 303
    assert re.fullmatch(r"/t/[A-Za-z0-9_-]{24}", answer.location)
    assert browser.get(answer.location).status_code == 200
    with inside(shop_id("fern")):
        lent = session.query(Link).filter(Link.session_digest != "").one()
        assert (lent.grade, lent.token_sealed) == ("view", "")
        assert timedelta(hours=23) < lent.expires_at - clock.now() <= timedelta(hours=24)


@pytest.mark.parametrize("field", ["email", "postcode"])
def test_the_second_field_may_be_named_for_what_it_is(app: Flask, field: str) -> None:
    placed()
    proof = {"email": EMAIL, "postcode": POSTCODE}[field]
    assert Browser(app).send("/track", number="1042", **{field: proof}).status_code == 303


def test_a_lent_link_is_this_browsers_alone_and_for_a_day(any_app: Flask) -> None:
    placed()
    mine, other = Browser(any_app), Browser(any_app)
    path = mine.look_up("1042", EMAIL).location
    unknown = other.get("/t/" + "a" * 24)
    stranger = other.get(path)
    assert (stranger.status_code, stranger.text) == (404, unknown.text)
    with time_machine.travel(clock.now() + timedelta(hours=24, seconds=1)):
        assert mine.get(path).status_code in (404, 410)


def test_another_shops_order_is_not_found_here(any_app: Flask) -> None:
    placed("volta")
    answer = Browser(any_app).look_up("1042", EMAIL)
    assert answer.status_code == 404
    assert Browser(any_app, "volta").look_up("1042", EMAIL).status_code == 303


def test_two_shops_with_one_number_each_show_their_own(any_app: Flask) -> None:
    placed("fern")
    placed("volta", email="vic.canary@mail.example")
    assert Browser(any_app).look_up("1042", "vic.canary@mail.example").status_code == 404
    assert Browser(any_app, "volta").look_up("1042", EMAIL).status_code == 404


def spellings(number: str) -> set[str]:
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in number)
    return {
        number,
        number.lower(),
        number.upper(),
        f" {number} ",
        f"#{number.lstrip('#')}",
        f"\u00a0#{number.lstrip('#')}\t",
        number.replace("-", "\u2013"),
        number.replace("-", "\u2011"),
        wide,
    }


def test_every_shape_of_number_finds_its_order(app: Flask, shared_data: Path) -> None:
    with (shared_data / "formats/order_numbers.csv").open(newline="") as file:
        shapes = [row["example"] for row in csv.DictReader(file)]
    shapes += ["SV-7841", "X/7841/Y", "#SAM-7841-2019", "MK-20418", "VN-20418", "№ 77", "Å-1"]
    for n, number in enumerate(shapes):
        placed(number=number)
        for m, typed in enumerate(sorted(spellings(number))):
            browser = Browser(app, address=f"198.51.{n}.{m}")
            assert browser.look_up(typed, EMAIL).status_code == 303, ascii(typed)


def test_what_only_looks_alike_finds_nothing(app: Flask, shared_data: Path) -> None:
    placed(number="#1001")
    cases = json.loads((shared_data / "security/forms/order_lookup.json").read_text())
    for n, typed in enumerate(cases["equivalent_ok"]):
        assert Browser(app, address=f"198.51.1.{n}").look_up(typed, EMAIL).status_code == 303
    others = [each for each in cases["must_not_match_other_order"] if isinstance(each, str)]
    for n, typed in enumerate(others):
        browser = Browser(app, address=f"198.51.{n}.1")
        answer = browser.look_up(typed, f"reader{n}@example.com")
        assert answer.status_code in (404, 422), ascii(typed)


# --- what is said -----------------------------------------------------------------------------


def without_echo(text: str, typed: dict[str, str]) -> str:
    """A page without what was typed into it and without its form's token."""
    text = TOKEN.sub("", text)
    for value in typed.values():
        text = text.replace(f'value="{value}"', "")
    return text.rstrip(" ")


def test_everything_wrong_is_answered_alike(any_app: Flask) -> None:
    placed()
    answers = {
        name: Browser(any_app, address=f"198.51.100.{n}").look_up(**typed)
        for n, (name, typed) in enumerate(WRONG.items())
    }
    assert {answer.status_code for answer in answers.values()} == {404}
    assert len({without_echo(answers[name].text, WRONG[name]) for name in WRONG}) == 1
    assert len({len(answer.data) for answer in answers.values()}) == 1
    shown = [sorted({name for name, _ in answer.headers}) for answer in answers.values()]
    assert all(each == shown[0] for each in shown)


@pytest.mark.parametrize("length", [1, 40, 120])
def test_the_size_of_an_answer_tells_nothing_about_what_was_typed(app: Flask, length: int) -> None:
    placed()
    answer = Browser(app).look_up("9" * length, "x" * length)
    assert answer.status_code == 404
    assert len(answer.data) % 4096 == 0


@pytest.mark.long
def test_the_time_of_an_answer_tells_nothing(any_app: Flask) -> None:
    placed()
    took: dict[str, list[float]] = {name: [] for name in WRONG}
    for n, (name, typed) in itertools.product(range(60), WRONG.items()):
        browser = Browser(any_app, address=f"198.51.{n}.{len(name)}")
        proof = typed["proof"].replace("@", f"{n}@") if name != "number" else typed["proof"]
        with time_machine.travel(clock.now() + timedelta(days=2 * n), tick=True):
            token = TOKEN.search(browser.get("/track").text)
            assert token
            sent = {"csrf_token": token[1], **typed, "proof": proof}
            began = stopwatch.perf_counter()
            answer = browser.open("/track", "POST", data=sent)
            took[name].append(stopwatch.perf_counter() - began)
            assert answer.status_code == 404
    medians = [statistics.median(times[5:]) for times in took.values()]
    assert max(medians) / min(medians) < 1.5


@pytest.mark.parametrize(
    ("typed", "field"),
    [({}, "number"), ({"number": "1042"}, "proof"), ({"proof": EMAIL}, "number")],
)
def test_an_incomplete_form_names_the_field(app: Flask, typed: dict, field: str) -> None:
    answer = Browser(app).send("/track", **typed)
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert f'id="{field}-error"' in answer.text
    assert 'aria-invalid="true"' in answer.text


def test_what_was_typed_stands_in_the_form_again(app: Flask) -> None:
    answer = Browser(app).look_up("77-X", "some.one@example.com")
    assert 'value="77-X"' in answer.text
    assert 'value="some.one@example.com"' in answer.text


def test_a_shops_link_may_bring_the_number(app: Flask) -> None:
    browser = Browser(app)
    assert 'name="number" type="text" value="1042"' in browser.get("/track?number=1042").text
    hostile = browser.get("/track?number=%22%3E%3Cscript%3E%00")
    assert hostile.status_code == 200
    assert "<script>" not in hostile.text


def test_a_carriers_number_is_named_as_one_and_shows_nothing_else(app: Flask) -> None:
    placed()
    answer = Browser(app).look_up("1Z5R89390357567127", "someone@example.com")
    assert answer.status_code == 404
    assert "That looks like a number from UPS." in answer.text
    assert 'href="https://www.ups.com/' in answer.text
    assert "Austin" not in answer.text


def test_hostile_strings_at_both_fields_break_nothing(app: Flask, shared_data: Path) -> None:
    placed()
    strings = json.loads((shared_data / "security/strings/blns.json").read_text())
    for name in ("log_and_header", "template_injection", "csv_injection", "redirect_targets"):
        strings += json.loads((shared_data / f"security/forms/{name}.json").read_text())
    browser = Browser(app)
    token = TOKEN.search(browser.get("/track").text)
    assert token
    for n, text in enumerate(strings[::3]):
        browser.address = f"198.{51 + n // 65025}.{n // 255 % 255}.{n % 255}"
        fields = {"number": text, "proof": text} if n % 2 else {"number": f"N{n}", "proof": text}
        sent = {"csrf_token": token[1], **fields}
        answer = browser.open("/track", "POST", data=sent)
        assert answer.status_code in (404, 422, 429), ascii(text)
        if "<" in text:
            assert text not in answer.text


SPICE = st.text(max_size=40)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(number=SPICE, proof=SPICE, n=st.integers(0, 2**24))
def test_no_text_breaks_the_form(app: Flask, number: str, proof: str, n: int) -> None:
    browser = Browser(app, address=f"10.{n >> 16 & 255}.{n >> 8 & 255}.{n & 255}")
    assert browser.look_up(number, proof).status_code in (404, 422, 429)


# --- how often --------------------------------------------------------------------------------


def tries(browser: Browser, count: int, **typed: str) -> list[int]:
    token = TOKEN.search(browser.get("/track").text)
    assert token
    fields = {"csrf_token": token[1], "number": "1042", "proof": "eve@example.com", **typed}
    return [browser.open("/track", "POST", data=fields).status_code for _ in range(count)]


def test_an_order_bears_few_wrong_tries_from_wherever_they_come(any_app: Flask, time) -> None:
    placed()
    seen = []
    for n in range(30):
        browser = Browser(any_app, address=f"198.51.100.{n}")
        seen += tries(browser, 1, proof=f"eve{n}@example.com")
    assert seen == [404] * 5 + [429] * 25


def test_a_forged_header_does_not_make_another_client(app: Flask, time) -> None:
    browser = Browser(app)
    token = TOKEN.search(browser.get("/track").text)
    assert token
    seen = []
    for n in range(30):
        fields = {"csrf_token": token[1], "number": f"9{n}", "proof": f"eve{n}@example.com"}
        forged = {"X-Forwarded-For": f"203.0.113.{n}", "X-Real-IP": f"203.0.113.{n}"}
        forged["Forwarded"] = f"for=203.0.113.{n}"
        seen.append(browser.open("/track", "POST", data=fields, headers=forged).status_code)
    assert seen == [404] * 20 + [429] * 10


def test_behind_a_proxy_only_its_own_word_counts(sqlite_url: str, time) -> None:
    for app in running_app(sqlite_url, TRUSTED_PROXIES="1"):
        browser = Browser(app, address="10.0.0.9")
        token = TOKEN.search(browser.get("/track").text)
        assert token
        seen = []
        for n in range(22):
            fields = {"csrf_token": token[1], "number": f"9{n}", "proof": f"eve{n}@example.com"}
            told = {"X-Forwarded-For": f"198.51.100.{n}, 203.0.113.5"}  # the last is the proxy's
            seen.append(browser.open("/track", "POST", data=fields, headers=told).status_code)
        assert seen == [404] * 20 + [429] * 2
        fields |= {"number": "77", "proof": "other@example.com"}
        other = {"X-Forwarded-For": "203.0.113.6"}
        assert browser.open("/track", "POST", data=fields, headers=other).status_code == 404


def test_a_network_of_addresses_is_one_client(app: Flask, time) -> None:
    seen = []
    for n in range(22):
        browser = Browser(app, address=f"2001:db8:1:2::{n:x}")
        seen += tries(browser, 1, number=f"9{n}", proof=f"eve{n}@example.com")
    assert seen == [404] * 20 + [429] * 2
    neighbour = Browser(app, address="2001:db8:1:3::1")
    assert tries(neighbour, 1, number="88", proof="else@example.com") == [404]


def test_an_e_mail_bears_few_wrong_numbers(app: Flask, time) -> None:
    seen = []
    for n in range(8):
        browser = Browser(app, address=f"198.51.100.{n}")
        seen += tries(browser, 1, number=f"9{n}", proof=EMAIL)
    assert seen == [404] * 5 + [429] * 3


def test_who_comes_too_often_is_told_when_to_come_again(app: Flask, time) -> None:
    placed()
    browser = Browser(app)
    assert tries(browser, 6)[-1] == 429
    answer = browser.look_up("1042", "eve@example.com")
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "120"
    assert "Too many tries" in answer.text
    assert "Try again in 2 minutes." in answer.text


def test_nobody_is_locked_out_for_good(any_app: Flask, time) -> None:
    """However long a stranger tries, the owner gets in after a wait that the answer names."""
    placed()
    for n in range(12):
        stranger = Browser(any_app, address=f"198.51.100.{n}")
        if tries(stranger, 1, proof=f"eve{n}@example.com") == [429]:
            time.shift(timedelta(minutes=3))
    owner = Browser(any_app, address="192.0.2.1")
    answer = owner.look_up("1042", EMAIL)
    waited = timedelta()
    while answer.status_code == 429:
        wait = timedelta(seconds=int(answer.headers["Retry-After"]))
        waited += wait
        time.shift(wait)
        answer = owner.look_up("1042", EMAIL)
    assert answer.status_code == 303
    assert waited <= limits.DAY


def test_right_tries_are_not_counted(app: Flask, time) -> None:
    placed()
    browser = Browser(app)
    for _ in range(30):
        assert browser.look_up("1042", EMAIL).status_code == 303


def test_two_shops_do_not_share_their_limits(app: Flask, time) -> None:
    placed("fern")
    placed("volta")
    assert tries(Browser(app), 6)[-1] == 429
    assert tries(Browser(app, "volta"), 1) == [404]


def test_the_form_needs_its_token(app: Flask) -> None:
    placed()
    answer = Browser(app).open("/track", "POST", data={"number": "1042", "proof": EMAIL})
    assert answer.status_code == 400
