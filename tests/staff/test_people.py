"""Who works here, and who did what: seen and changed at the desk, by whom it is for."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from flask import Flask

from portal import clock
from portal.db import inside, session, writing
from portal.models import AuditEntry
from portal.models.audit import record
from portal.models.chain import seal_some
from portal.models.staff import Staff
from tests.conftest import shop_id
from tests.pages.browser import Browser
from tests.staff.test_signin import is_in, joined, sign_in

LINK = re.compile(r"<code>https?://[^/]+(/staff/invitation/[^<]+)</code>")


@pytest.fixture
def owner(app: Flask) -> Browser:
    return joined(app, "olga@fern.test", "owner")


def person(email: str = "dana@fern.test", slug: str = "fern") -> Any:
    with inside(shop_id(slug)):
        found = Staff.known(email)
        assert found is not None
        session.expunge(found)
        return found


def act(owner: Browser, id: int, what: str, **fields: str) -> Any:
    return owner.send(f"/staff/people/{id}/{what}", "/staff/people", **fields)


def acts() -> list[str]:
    with inside(shop_id("fern")):
        return [entry.act for entry in session.query(AuditEntry).order_by(AuditEntry.id)]


def test_somebody_is_invited_and_comes_in(app: Flask, owner: Browser) -> None:
    page = owner.send("/staff/people", email="Dana@Fern.test", role="agent")
    assert page.status_code == 200
    [path] = LINK.findall(page.text)
    assert "Pass this link on to" in page.text
    dana = Browser(app)
    assert dana.send(path, name="Dana", password="seven green umbrellas").status_code == 303
    assert person().role == "agent"
    assert "staff.invited" in acts()
    assert path not in owner.get("/staff/people").text


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"email": "nobody", "role": "agent"}, "no e-mail address"),
        ({"email": "dana@fern.test", "role": "boss"}, "Choose one of the roles"),
        ({"email": "", "role": ""}, "no e-mail address"),
        ({"email": "olga@fern.test", "role": "agent"}, "That is you"),
    ],
)
def test_who_cannot_be_invited_is_said(owner: Browser, sent: dict[str, str], said: str) -> None:
    page = owner.send("/staff/people", **sent)
    assert page.status_code == 422
    assert said in page.text


def test_a_new_role_holds_from_the_next_click(app: Flask, owner: Browser) -> None:
    dana = joined(app, role="manager")
    assert dana.get("/staff/audit").status_code == 200
    assert act(owner, person().id, "role", role="agent").status_code == 303
    assert dana.get("/staff/audit").status_code == 403


def test_who_is_let_go_is_out_at_once_and_may_come_back(app: Flask, owner: Browser) -> None:
    dana = joined(app)
    assert act(owner, person().id, "leave").status_code == 303
    assert not is_in(dana)
    sign_in(dana)
    assert not is_in(dana)
    assert "Works here no more" in owner.get("/staff/people").text
    act(owner, person().id, "return")
    sign_in(dana)
    assert is_in(dana)
    assert acts()[-2:] == ["staff.let_go", "staff.taken_back"]


def test_every_browser_of_somebody_is_signed_out(app: Flask, owner: Browser) -> None:
    dana = joined(app)
    act(owner, person().id, "sign-out")
    assert not is_in(dana)
    sign_in(dana)
    assert is_in(dana)


@pytest.mark.parametrize(("what", "more"), [("leave", {}), ("role", {"role": "reader"})])
def test_nobody_changes_themselves_and_an_owner_stays(
    app: Flask, owner: Browser, what: str, more: dict[str, str]
) -> None:
    me = person("olga@fern.test").id
    answer = act(owner, me, what, **more)
    assert answer.status_code == 409
    assert "Another owner has to" in answer.text
    other = joined(app, "oskar@fern.test", "owner")
    assert act(other, me, what, **more).status_code == 303
    assert owner.get("/staff/people").status_code in (302, 403)
    with inside(shop_id("fern")):
        owners = session.query(Staff).filter_by(role="owner", active=True).count()
    assert owners == 1


def test_people_of_another_shop_are_nobody(app: Flask, owner: Browser) -> None:
    joined(app, "eve@volta.test", "agent", "volta")
    eve = person("eve@volta.test", "volta").id
    assert act(owner, eve, "leave").status_code == 404
    assert person("eve@volta.test", "volta").active
    assert "eve@volta.test" not in owner.get("/staff/people").text


def test_people_are_changed_only_shortly_after_signing_in(app: Flask) -> None:
    with time_machine.travel(clock.now(), tick=False) as hands:
        owner = joined(app, "olga@fern.test", "owner")
        hands.shift(timedelta(minutes=50))
        answer = owner.send("/staff/people", email="dana@fern.test", role="agent")
        assert answer.status_code == 302
        assert "/staff/verify" in answer.headers["Location"]
        with inside(shop_id("fern")):
            assert Staff.known("dana@fern.test") is None


# --- the trail ----------------------------------------------------------------------------------


def wrote(*entries: tuple[str, str, str]) -> None:
    with inside(shop_id("fern")), writing():
        for who, act, subject in entries:
            record(who, act, subject, {"status": "old"}, {"status": "new <b>"}, "Because & why")


def test_the_trail_is_searched_and_shown_as_text(app: Flask, owner: Browser) -> None:
    wrote(("staff:9 Zed", "return.approve", "return:ret_1"), ("job", "refund.done", "return:ret_2"))
    page = owner.get("/staff/audit?who=zed").text
    assert "/staff/returns/ret_1" in page
    assert "ret_2" not in page
    assert "new &lt;b&gt;" in page
    assert "Because &amp; why" in page
    assert "ret_2" in owner.get("/staff/audit?act=refund.done&subject=return:").text
    assert "Nothing matches" in owner.get("/staff/audit?who=%25").text
    today = clock.now().date()
    assert "ret_1" in owner.get(f"/staff/audit?since={today - timedelta(days=1)}").text
    assert "Nothing matches" in owner.get(f"/staff/audit?until={today - timedelta(days=2)}").text
    odd = "/staff/audit?since=nonsense&until=9999-12-31&before=x&who=" + "%00" * 3
    assert owner.get(odd).status_code == 200


def test_the_trail_goes_on_page_by_page(app: Flask, owner: Browser) -> None:
    wrote(*(("job", "refund.done", f"return:ret_{n:03}") for n in range(120)))
    seen: list[str] = []
    path = "/staff/audit?act=refund.done"
    while path:
        page = owner.get(path).text
        seen += re.findall(r">return:(ret_\d+)<", page)
        older = re.search(r'href="(/staff/audit\?before=[^"]+)"', page)
        path = older[1].replace("&amp;", "&") if older else ""
    assert seen == [f"ret_{n:03}" for n in reversed(range(120))]


def test_the_trail_as_a_sheet_is_safe_to_open(app: Flask, owner: Browser) -> None:
    wrote(("=cmd()", "refund.done", "return:ret_1"))
    sheet = owner.get("/staff/audit.csv?act=refund.done").text
    assert "'=cmd()" in sheet
    assert sheet.splitlines()[0].startswith("at,who,act")


def test_a_changed_entry_is_found_out(app: Flask, owner: Browser) -> None:
    wrote(("job", "refund.done", "return:ret_1"))
    with inside(shop_id("fern")), writing():
        seal_some()
    assert "Nothing was changed" in owner.get("/staff/audit?check=yes").text
    with inside(shop_id("fern")), writing():
        session.query(AuditEntry).filter_by(act="refund.done").one().who = "somebody else"
    assert "The chain is broken" in owner.get("/staff/audit?check=yes").text
