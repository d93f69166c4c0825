"""The policy's editor: a merchant who has never seen JSON, by forms alone."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.datastructures import MultiDict

from portal import clock
from portal.db import inside, session, writing
from portal.models import AuditEntry
from portal.models.policy import PolicyVersion, current_policy
from portal.models.rma_request import order_for_return, quoted, weigh
from portal.staff import condition_form
from portal.staff.condition_asks import FACTS
from portal.staff.widgets import Typed
from returns.facts import TYPES
from returns.rules import KINDS
from tests.conftest import shop_id
from tests.models.bought import SHIRT, bought, shirts
from tests.pages.browser import Browser
from tests.staff.policy_forms import Form, filled, saved
from tests.staff.test_signin import joined

DRAFT = "/staff/policy/2"
FEW = {**SHIRT, "quantity": 1, "discount_minor": 0, "tax_minor": 0}


def begun(app: Flask, role: str = "owner", email: str = "dana@fern.test") -> Browser:
    """A browser of somebody who has begun a draft from the rules in force."""
    browser = joined(app, email, role)
    form = Form(browser.get("/staff/policy").text, "/staff/policy/drafts")
    answer = form.send(browser)
    assert answer.headers["Location"] == DRAFT, answer.text
    return browser


@pytest.fixture
def editor(app: Flask) -> Browser:
    """Somebody at a draft."""
    return begun(app)


def document(version: int = 2) -> dict[str, Any]:
    """The rules of a version as they are kept."""
    with inside(shop_id("fern")):
        found = session.scalars(select(PolicyVersion).where(PolicyVersion.version == version)).one()
        session.remove()
        return found.document


def kinds() -> list[str]:
    return [rule["id"] for rule in document()["rules"]]


def publish(browser: Browser, version: int = 2, **typed: str) -> Any:
    form = Form(
        browser.get(f"/staff/policy/{version}/publication").text,
        f"/staff/policy/{version}/publication",
    )
    form.type({"why": "Asked for by the owner.", **typed})
    return form.send(browser)


def decided(order_id: str, reason: str, now: datetime) -> tuple[str, int, str, int]:
    """What the rules in force say of one shirt: outcome, last day, who pays the label, bonus."""
    with inside(shop_id("fern")):
        order = order_for_return(order_id)
        assert order is not None
        rules = current_policy(now)
        (told,) = weigh(order, [shirts(1, reason)], "page", now, strict=False, by_law=rules)
        effects = told.decision.effects
        days = (effects.last_day - (now - timedelta(days=3)).date()).days if effects.last_day else 0
        (amounts,) = quoted([told], "label")
        bonus = amounts["store_credit"].bonus_minor
        session.remove()
    return told.outcome, days, "free" if not effects.label_minor("label") else "paid", bonus


def test_a_merchant_sets_the_rules_of_the_house_by_forms_alone(any_app: Flask) -> None:
    browser = begun(any_app)
    saved(browser, f"{DRAFT}/rules/window", days="30", anchor="delivery")
    saved(
        browser,
        f"{DRAFT}/new/window",
        ["customer_tags"],
        days="60",
        when__0__ask="has_any",
        when__0__value="member",
    )
    saved(
        browser,
        f"{DRAFT}/new/decline",
        ["category", "reason"],
        because="Underwear cannot come back, for hygiene.",
        when__0__value="Underwear",
        when__1__ask="is_not",
        when__1__value=["faulty"],  # type: ignore[arg-type]
    )
    saved(browser, f"{DRAFT}/new/bonus", share_bps="10", resolutions=["store_credit"])  # type: ignore[arg-type]
    saved(
        browser,
        f"{DRAFT}/new/review",
        ["unit_price_minor"],
        when__0__ask="above",
        when__0__value="300",
    )
    saved(
        browser,
        f"{DRAFT}/rules/label",
        paid_by="customer",
        cost_minor__label="4.99",
        free_for=["faulty", "wrong_item", "missing_item"],  # type: ignore[arg-type]
    )
    page = browser.get(DRAFT).text
    assert "Nothing is wrong with these rules" in page
    assert "within 60 days" in page
    assert publish(browser).headers["Location"] == "/staff/policy"

    now = clock.now()
    plain = bought(number="1", now=now, lines=[FEW])
    member = bought(number="2", now=now, lines=[FEW], customer_tags=["Member"])
    pants = bought(number="3", now=now, lines=[{**FEW, "category": "Underwear"}])
    dear = bought(number="4", now=now, lines=[{**FEW, "unit_price_minor": 30_001}])
    edge = bought(number="5", now=now, lines=[{**FEW, "unit_price_minor": 30_000}])
    assert decided(plain, "too_small", now) == ("approve", 30, "paid", 200)
    assert decided(member, "too_small", now) == ("approve", 60, "paid", 200)
    assert decided(plain, "wrong_item", now) == ("approve", 30, "free", 200)
    assert decided(pants, "too_small", now)[0] == "decline"
    assert decided(pants, "other", now)[0] == "decline"
    assert decided(pants, "faulty", now)[:3] == ("approve", 30, "free")
    assert decided(dear, "too_small", now)[0] == "review"
    assert decided(edge, "too_small", now)[0] == "approve"
    late = now + timedelta(days=29)
    assert decided(plain, "too_small", late)[0] == "decline"
    assert decided(member, "too_small", late)[0] == "approve"
    told = Browser(any_app).get("/policy").text
    assert "within 30 days of their delivery" in told
    assert "10 % on top with store credit" in told


def test_every_kind_of_rule_has_its_form_and_every_fact_its_row(app: Flask) -> None:
    browser = begun(app)
    text = browser.get(f"{DRAFT}/new").text
    for kind, cls in KINDS.items():
        assert f'href="{DRAFT}/new/{kind}"' in text
        assert cls.example in text.replace("&#39;", "'")
        before = len(document()["rules"])
        answer = filled(browser, f"{DRAFT}/new/{kind}").send(browser)
        assert answer.status_code == 303, f"{kind}: {answer.text}"
        assert len(document()["rules"]) == before + 1
    assert FACTS.keys() == TYPES.keys()
    typed: Typed = MultiDict()
    for fact in list(FACTS)[:30]:
        condition_form.add(fact, "EUR", typed)
    rows = condition_form.show(typed, "EUR", {}).rows
    assert [row.fact for row in rows] == list(FACTS)[:30]


WRONG = [
    ("window", {"days": "thirty"}, "days", "give a number such as 30, not thirty"),
    ("window", {"days": "-1"}, "days", "give 0 days or more"),
    ("window", {"days": "40000"}, "days", "give 36500 days or less"),
    ("window", {"days": ""}, "days", "give a number"),
    ("window", {"days": "3.5"}, "days", "no point"),
    ("bonus", {"amount_minor": "1,000"}, "amount_minor", "can be read in two ways"),
    ("bonus", {"amount_minor": "4.999"}, "amount_minor", "at most 2 digits"),
    ("bonus", {"share_bps": "120"}, "share_bps", "give 100 % or less"),
    ("methods", {"allow.label": ""}, "allow", "choose at least one"),
    ("label", {"cost_minor.label": "much"}, "cost_minor.label", "give a number such as 12.50"),
    ("instant_exchange", {"days": "2"}, "days", "give 3 days or more"),
    ("decline", {"because": "x" * 2001}, "because", "at most 2000 characters"),
]


def test_bad_input_is_answered_beside_its_field_and_nothing_is_lost(editor: Browser) -> None:
    for kind, typed, name, sentence in WRONG:
        form = filled(editor, f"{DRAFT}/new/{kind}")
        form.type({**typed, "note": "Kept."})
        answer = form.send(editor)
        assert answer.status_code == 422, typed
        assert f'href="#f-{name}"' in answer.text
        assert answer.text.count(sentence) == 2, typed  # above, and beside the field
        again = Form(answer.text, f"{DRAFT}/new/{kind}")
        assert again.fields["note"] == "Kept."
        assert {field: again.fields[field] for field in typed} == typed
    assert len(document()["rules"]) == len(document(1)["rules"])


WRONG_ROWS = [
    ("category", "is", "", "say what it is compared with"),
    ("country", "is", "Germny", "We know no country"),
    ("unit_price_minor", "above", "lots", "give a number such as 12.50"),
    ("requested_on", "since", "soon", "give a date such as"),
    ("customer_tags", "has_all", " , ", "say what it is compared with"),
    ("sku", "begins", "A, B", "give one beginning"),
    ("risk_points", "from", "1", "would decline for risk points"),
]


def test_a_condition_that_cannot_be_is_told_where_it_stands(editor: Browser) -> None:
    for fact, ask, value, sentence in WRONG_ROWS:
        form = filled(editor, f"{DRAFT}/new/decline")
        form.row(fact, ask, value)
        answer = form.send(editor)
        assert answer.status_code == 422, value
        assert sentence in answer.text, value
        assert Form(answer.text, form.action).fields["when.0.value"] == value


def test_rules_move_and_go_and_the_first_cannot_go_higher(editor: Browser) -> None:
    def press(path: str) -> Any:
        return Form(editor.get(DRAFT).text, f"{DRAFT}/rules/{path}")

    before = kinds()
    down = press("window/place")
    down.fields["to"] = "down"
    assert down.send(editor).headers["Location"] == f"{DRAFT}#rule-window"
    assert kinds() == [*before[:2], "history", "window", *before[4:]]
    press("window/place").send(editor)  # the first form there is "up"
    assert kinds() == before
    press("delivered/place").send(editor)
    assert kinds() == before
    press("history/removal").send(editor)
    assert "history" not in kinds()


def test_two_people_at_one_draft_the_second_is_told_and_loses_nothing(any_app: Flask) -> None:
    dana = begun(any_app)
    bea = joined(any_app, "bea@fern.test", "manager")
    path = f"{DRAFT}/rules/window"
    slow = filled(bea, path, days="45", note="For the season.")
    saved(dana, path, days="50")
    answer = slow.send(bea)
    assert answer.status_code == 409
    assert "Dana changed this draft while you had it open (changed days window)" in answer.text
    assert "within 50 days" in answer.text  # as it is now
    again = Form(answer.text, path)
    assert (again.fields["days"], again.fields["note"]) == ("45", "For the season.")
    assert again.send(bea).status_code == 303
    assert next(r for r in document()["rules"] if r["id"] == "window")["days"] == 45
    gone = filled(bea, path, days="40")
    Form(dana.get(DRAFT).text, f"{path}/removal").send(dana)
    answer = gone.send(bea)
    assert answer.status_code == 409
    assert "removed meanwhile" in answer.text
    assert Form(answer.text, path).send(bea).status_code == 303
    assert next(r for r in document()["rules"] if r["kind"] == "window")["days"] == 40


def test_errors_keep_a_draft_from_being_published_and_say_how_to_mend_it(editor: Browser) -> None:
    form = filled(editor, f"{DRAFT}/new/decline", ["category"], when__0__value="Shoes")
    form.type({"place": form.choices["place"][-1]})
    form.send(editor)
    page = editor.get(DRAFT).text
    assert "Rule 12 can never decide: rule 11 already matches all it matches." in page
    assert "Move it above that rule, or remove it." in page
    assert 'name="when"' not in editor.get(f"{DRAFT}/publication").text
    with inside(shop_id("fern")):
        seen = session.scalars(select(PolicyVersion.hash).order_by(PolicyVersion.version)).all()[-1]
        session.remove()
    answer = editor.send(f"{DRAFT}/publication", form=DRAFT, seen=seen, when="now")
    assert answer.status_code == 422
    assert "Rule 12 can never decide" in answer.text


def test_versions_are_scheduled_withdrawn_restored_and_told_apart(app: Flask) -> None:
    browser = begun(app)
    saved(browser, f"{DRAFT}/rules/window", days="45")
    tomorrow = (clock.now() + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    assert "never from the past" in publish(browser, when="later", at="2020-01-01T10:00").text
    assert "Give a day and a time" in publish(browser, when="later", at="soon").text
    assert publish(browser, when="later", at=tomorrow).status_code == 303
    assert "Scheduled" in browser.get("/staff/policy").text
    stopped = Form(browser.get(DRAFT).text, f"{DRAFT}/withdrawal").send(browser)
    assert stopped.status_code == 303
    told = browser.get(f"{DRAFT}/changes?against=1").text
    assert "Rule 3 was: You can send things back within 30 days of their delivery." in told
    assert "Now: You can send things back within 45 days of their delivery." in told
    assert publish(browser).status_code == 303
    path = "/staff/policy/1/publication"
    form = Form(browser.get(path).text, "/staff/policy/1/restoration")
    form.type({"why": "It cost too much."})
    assert form.send(browser).status_code == 303
    with inside(shop_id("fern")):
        assert current_policy(clock.now()).version == 3
        acts = session.scalars(select(AuditEntry.act).order_by(AuditEntry.id)).all()
        why = session.scalars(select(AuditEntry.why).where(AuditEntry.subject == "policy:3")).all()
    policy_acts = [act.removeprefix("policy.") for act in acts if act.startswith("policy.")]
    made = ["drafted", "revised", "published", "withdrawn", "published", "drafted", "published"]
    assert policy_acts == made
    assert "It cost too much." in why


def test_a_draft_is_thrown_away_and_a_published_one_is_not(editor: Browser) -> None:
    assert Form(editor.get(DRAFT).text, f"{DRAFT}/removal").send(editor).status_code == 303
    assert editor.get(DRAFT).status_code == 404
    answer = editor.send("/staff/policy/1/removal", form="/staff/policy")
    assert answer.status_code == 409
    assert "was published already" in answer.text


def test_a_condition_that_rows_cannot_show_stays_as_it_is(app: Flask) -> None:
    browser = joined(app, role="owner")
    when = {"not": {"all": [{"fact": "gift", "is": True}, {"fact": "category", "is": "Shoes"}]}}
    with inside(shop_id("fern")), writing():
        live = session.scalars(select(PolicyVersion)).one()
        rules = [{"id": "odd", "kind": "keep_item", "when": when}, *live.document["rules"]]
        PolicyVersion.draft({**live.document, "rules": rules}, "test", clock.now())
    assert "rows cannot show" in browser.get(f"{DRAFT}/rules/odd").text
    saved(browser, f"{DRAFT}/rules/odd", then="donate")
    assert document()["rules"][0]["when"] == when
    assert document()["rules"][0]["then"] == "donate"
