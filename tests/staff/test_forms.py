"""Forms out of a model's own fields: what is shown is read back, whatever the model."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from werkzeug.datastructures import MultiDict

from portal.protection.claim_terms import ClaimTerms
from portal.staff import condition_form
from portal.staff.countries import country_code, country_list
from portal.staff.schema_form import form_of
from portal.staff.widgets import Number, Problems, Typed, split_words, words_list
from returns.facts import plain
from returns.lint import EU
from returns.rules import KINDS, READERS, settings_schema


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_rules_form_shows_is_read_back_as_the_same_rule(kind: str) -> None:
    rule = READERS[kind].validate_python({})
    document = {f.name: plain(getattr(rule, f.name)) for f in fields(rule)}  # type: ignore[arg-type]
    form, typed, problems = form_of(settings_schema(kind), "EUR"), MultiDict[str, str](), Problems()
    form.fill("", document, typed)
    read = form.read("", typed, problems)
    assert problems == {}
    assert READERS[kind].validate_json(json.dumps(read), strict=True) == rule


class Parcel(BaseModel):
    """A model that no form was written for."""

    weight_g: int = 5
    insured_minor: int | None = None
    names: list[str] = []


def test_a_model_that_nobody_wrote_a_form_for_has_one() -> None:
    form, typed = form_of(Parcel.model_json_schema(), "JPY"), MultiDict[str, str]()
    form.fill("", {}, typed)
    assert typed.to_dict() == {"weight_g": "5", "insured_minor": "", "names": ""}
    labels = [part.label for part in form.show("", typed, {}).parts]
    assert labels == ["Weight g", "Insured", "Names"]
    typed["insured_minor"] = "12.5"
    problems = Problems()
    form.read("", typed, problems)
    assert problems == {"insured_minor": "Insured: give a number with no point."}


def test_terms_are_read_back_as_they_were() -> None:
    document = ClaimTerms().model_dump(mode="json")
    form, typed, problems = (
        form_of(ClaimTerms.model_json_schema(), "USD"),
        MultiDict[str, str](),
        Problems(),
    )
    form.fill("", document, typed)
    assert form.read("", typed, problems) == document


@given(st.integers(0, 10**12), st.sampled_from([0, 2, 3]))
def test_an_amount_is_read_back_to_the_last_unit(minor: int, digits: int) -> None:
    widget, typed, problems = Number(label="It", digits=digits), MultiDict[str, str](), Problems()
    widget.fill("n", minor, typed)
    assert widget.read("n", typed, problems) == minor
    typed["n"] = typed["n"].replace(".", ",")
    if digits != 3:
        assert widget.read("n", typed, problems) == minor
    assert problems == {}


WORD = st.text("abcäö ,\"'-19", min_size=1, max_size=12).map(str.strip)


@given(st.lists(WORD.filter(bool), unique=True, max_size=6))
def test_texts_with_commas_and_quotes_are_read_back(texts: list[str]) -> None:
    single = list(dict.fromkeys(" ".join(text.split()) for text in texts))
    assert split_words(words_list(single)) == single


def test_countries_are_known_by_name_and_the_union_by_its() -> None:
    assert country_code("germany") == ["DE"]
    assert country_code("CH") == ["CH"]
    assert country_code("the European Union") == sorted(EU)
    assert country_code("Atlantis") == []
    assert country_list(["DE", "US"]) == "Germany, United States"
    assert country_list(sorted(EU)) == "European Union"


CONDITIONS: list[dict[str, Any] | None] = [
    None,
    {"fact": "country", "in": sorted(EU)},
    {"not": {"fact": "country", "in": sorted(EU)}},
    {"fact": "unit_price_minor", "at_least": 30_001},
    {"fact": "share_bps", "at_most": 5_050},
    {"fact": "requested_on", "at_least": "2026-11-30"},
    {"fact": "risk_points", "known": False},
    {"fact": "sku", "starts_with": "AB"},
    {"any": [{"fact": "gift", "is": False}, {"fact": "customer_tags", "has_any": ["vip"]}]},
    {"not": {"all": [{"fact": "gift", "is": True}]}},
    {"any": []},
]


@pytest.mark.parametrize("when", CONDITIONS)
def test_a_condition_that_nobody_touched_is_the_same(when: dict[str, Any] | None) -> None:
    typed: Typed = MultiDict()
    problems = Problems()
    condition_form.fill(when, "USD", typed)
    assert condition_form.read(typed, when, "USD", problems) == when
    assert problems == {}
