"""Protection and terms of claims, set by forms made of their own fields."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from portal import clock
from portal.db import inside, session
from portal.models import AuditEntry, Shop
from portal.models.claim_facts import terms_of
from portal.models.protection import live_plan
from portal.protection.claim_terms import ClaimTerms
from portal.protection.plan import Plan
from portal.protection.price import price
from portal.staff.settings_shown import Example
from tests.conftest import shop_id
from tests.models.bought import bought
from tests.pages.browser import Browser
from tests.staff.policy_forms import Form, filled
from tests.staff.test_signin import joined

PLAN, TERMS = "/staff/settings/protection", "/staff/settings/claims"


def plan() -> Plan | None:
    with inside(shop_id("fern")):
        live = live_plan(clock.now())
        found = live.plan if live else None
        session.remove()
    return found


def terms() -> ClaimTerms:
    with inside(shop_id("fern")):
        shop = Shop.named("fern")
        assert shop is not None
        found = terms_of(shop)
        session.remove()
    return found


@pytest.fixture
def owner(app: Flask) -> Browser:
    """An owner at the desk."""
    return joined(app, role="owner")


def with_row(browser: Browser, form: Form, name: str) -> Form:
    """The form with one row more."""
    return Form(form.send(browser, f"more:{name}").text, form.action)


def test_a_plan_is_made_from_nothing_by_its_form(any_app: Flask) -> None:
    owner = joined(any_app, role="owner")
    assert "sells no protection yet" in owner.get(PLAN).text
    form = filled(owner, PLAN)
    form.type({"price.kind": "tiers"})
    for name in ("price.tiers.tiers", "price.tiers.tiers", "rates", "words"):
        form = with_row(owner, form, name)
    form.type(
        {
            "price.tiers.tiers.0.up_to_minor": "50",
            "price.tiers.tiers.0.amount_minor": "0,98",
            "price.tiers.tiers.1.amount_minor": "2.40",
            "rates.0.countries": "Switzerland, Norway",
            "rates.0.price.kind": "share",
            "rates.0.price.share.basis_points": "3.5",
            "floor_minor": "0.50",
            "cap_minor": "20",
            "round_to_minor": "0.05",
            "order_limit_minor": "1000",
            "parcel_limit_minor": "500",
            "excluded_countries": "Brazil",
            "excluded_categories": "Gift cards, Plants",
            "excluded_skus": "GC-1",
            "covers_return": ["yes"],
            "return_minor": "1.10",
            "climate_points": "5",
            "climate_for": "planting trees",
            "words.0.key": "en",
            "words.0.value.title": "Safe journey",
            "why": "Our first plan.",
        }
    )
    answer = form.send(owner)
    assert answer.status_code == 303, answer.text
    made = plan()
    assert made is not None
    assert made.serves("US")
    assert not made.serves("BR")
    assert not made.covers_line("GC-1", "")
    assert not made.covers_line("X", "gift cards")
    assert (made.order_limit_minor, made.parcel_limit_minor) == (100_000, 50_000)
    assert made.words["en"].title == "Safe journey"
    small = price(made, [Example(4_000)], "USD", "US")
    assert (small.price_minor, small.return_minor, small.climate_minor) == (100, 110, 11)
    assert price(made, [Example(10_000)], "USD", "CH").price_minor == 350
    text = owner.get(PLAN).text
    assert "An order of $50.00" in text
    assert "Our first plan." in text
    again = filled(owner, PLAN)
    assert again.fields["rates.0.countries"] == "Switzerland, Norway"
    assert again.send(owner).status_code == 303
    assert plan() == made  # what was not touched is the same


WRONG_PLANS: list[tuple[dict[str, Any], str, str]] = [
    ({"floor_minor": "3", "cap_minor": "2"}, "", "The most that is paid is below the least."),
    ({"price.share.basis_points": "101"}, "price.share.basis_points", "give 100 % or less"),
    ({"only_countries": "Atlantis"}, "only_countries", "We know no country"),
    ({"provider.name": ""}, "provider.name", "this must not be empty"),
    ({"provider.basis": "licensed_insurer"}, "provider", "named with its licence"),
    ({"climate_for": "delivery insurance"}, "", "insur"),
    ({"climate_points": "5"}, "", "Say what the climate share goes to"),
    ({"price.kind": "tiers"}, "price.tiers.tiers", "must not be empty"),
    ({"price.kind": "gold"}, "price.kind", "choose one of these"),
]


def test_a_plan_that_cannot_be_is_told_and_what_was_typed_stays(owner: Browser) -> None:
    for typed, name, sentence in WRONG_PLANS:
        form = filled(owner, PLAN)
        form.type({**typed, "excluded_skus": "KEPT-1"})
        answer = form.send(owner)
        assert answer.status_code == 422, typed
        assert sentence in answer.text, typed
        if name:
            assert f'href="#f-{name}"' in answer.text, typed
        again = Form(answer.text, PLAN)
        assert again.fields["excluded_skus"] == "KEPT-1"
    assert plan() is None


def test_a_language_that_is_none_is_told_beside_its_field(owner: Browser) -> None:
    form = with_row(owner, filled(owner, PLAN), "words")
    form.type({"words.0.key": "english", "words.0.value.title": "Safe"})
    answer = form.send(owner)
    assert answer.status_code == 422
    assert 'href="#f-words.0.key"' in answer.text
    assert "such as en or de" in answer.text


def test_the_price_is_suggested_from_the_shops_own_losses(app: Flask, owner: Browser) -> None:
    bought(now=clock.now())
    text = owner.get(PLAN).text
    assert "Lost: 0 of 1 parcels, $0.00" in text
    assert "rather a guess" in text
    taken = Form(owner.get(f"{PLAN}?share=125").text, PLAN)
    assert taken.fields["price.share.basis_points"] == "1.25"


def test_terms_of_claims_are_changed_and_written_down(any_app: Flask) -> None:
    owner = joined(any_app, role="owner")
    form = filled(owner, TERMS)
    assert form.fields["approve_below_minor"] == "100.00"
    form.type({"lost.wait_days": "9", "approve_below_minor": "75", "police_report_from_minor": ""})
    form.type({"why": "Fewer false alarms."})
    assert form.send(owner).status_code == 303
    now = terms()
    assert (now.version, now.lost.wait_days) == (2, 9)
    assert (now.approve_below_minor, now.police_report_from_minor) == (7_500, None)
    assert now.not_received == ClaimTerms().not_received
    with inside(shop_id("fern")):
        entry = session.query(AuditEntry).where(AuditEntry.act == "claims.terms").one()
        assert entry.who.endswith("Dana")
        assert (entry.before["approve_below_minor"], entry.after["approve_below_minor"]) == (
            10_000,
            7_500,
        )
        assert entry.why == "Fewer false alarms."


def test_terms_that_cannot_be_are_told_beside_their_fields(owner: Browser) -> None:
    wrong = {"lost.last_days": "3", "review_from_points": "40", "appeal_days": "14"}
    answer = filled(owner, TERMS, **{k.replace(".", "__"): v for k, v in wrong.items()}).send(owner)
    assert answer.status_code == 422
    assert "A claim would close before it opens." in answer.text
    assert 'href="#f-lost"' in answer.text
    answer = filled(owner, TERMS, appeal_days="soon", review_from_points="0").send(owner)
    assert answer.text.count("give a number such as 30, not soon") == 2
    assert "give 1 points or more" in answer.text
    assert terms().version == 1


def test_the_second_of_two_people_is_told_and_loses_nothing(app: Flask, owner: Browser) -> None:
    bea = joined(app, "bea@fern.test", "manager")
    slow = filled(bea, TERMS, appeal_days="20")
    filled(owner, TERMS, appeal_days="30").send(owner)
    answer = slow.send(bea)
    assert answer.status_code == 409
    assert "Somebody changed these settings" in answer.text
    assert Form(answer.text, TERMS).send(bea).status_code == 303
    assert terms().appeal_days == 20


def test_hostile_texts_in_a_plan_come_back_as_text(owner: Browser) -> None:
    script = "\"'><script>alert(1)</script>{{7*7}}"
    for name in ("excluded_skus", "excluded_categories", "provider.name", "climate_for", "why"):
        for text in (script, "\0", "²", "\u202e\ud83d\ude00", "'; DROP TABLE shop;--"):
            form = filled(owner, PLAN)
            form.type({name: text.encode("utf-16", "surrogatepass").decode("utf-16")})
            answer = form.send(owner)
            assert answer.status_code in (303, 422), text
            assert "<script>alert" not in answer.text
    assert "<script>alert" not in owner.get(PLAN).text


def test_settings_that_are_not_there_are_not_found(owner: Browser) -> None:
    assert owner.get("/staff/settings/nothing").status_code == 404
    assert owner.get("/staff/settings").status_code == 200
