"""What a shop says of its last year: true in every currency, of many claims and of none."""

from __future__ import annotations

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from portal.models.cover_record import Year
from portal.pages.protection_words import year_words

IN = "In the last 12 months, "


@pytest.mark.parametrize(
    ("year", "says"),
    [
        (
            Year("EUR", 1_254, 10, 10_000, 7_100),
            f"{IN}0.8% of 1,254 covered parcels had a claim. "
            "Of every €1.00 paid for protection, €0.71 was paid out.",
        ),
        (
            Year("JPY", 40, 1, 4_000, 1_000),
            f"{IN}2.5% of 40 covered parcels had a claim. "
            "Of every ¥100 paid for protection, ¥25 was paid out.",
        ),
        (
            Year("KWD", 100, 2, 9_000, 3_000),
            f"{IN}2% of 100 covered parcels had a claim. "
            "Of every KWD1.000 paid for protection, KWD0.333 was paid out.",
        ),
        (
            Year("USD", 30, 0, 3_000, 0),
            f"{IN}none of 30 covered parcels had a claim. Nothing had to be paid out.",
        ),
        (
            Year("USD", 90_000, 1, 900_000, 20),
            f"{IN}less than 0.1% of 90,000 covered parcels had a claim. "
            "Of every $1.00 paid for protection, $0.01 was paid out.",
        ),
        (
            Year("USD", 30, 30, 100, 450),
            f"{IN}100% of 30 covered parcels had a claim. "
            "Of every $1.00 paid for protection, $4.50 was paid out.",
        ),
        (Year("USD", 31, 0, 0, 0), f"{IN}none of 31 covered parcels had a claim."),
    ],
)
def test_a_year_in_words(year: Year, says: str) -> None:
    assert year_words(year, "en") == says


def test_a_year_is_said_in_the_readers_form(app: Flask) -> None:
    with app.test_request_context("/?lang=de"):
        said = year_words(Year("EUR", 1_254, 10, 10_000, 7_100), "de")
    for part in ("0,8\xa0%", "1.254", "1,00\xa0€", "0,71\xa0€"):
        assert part in said


@given(
    parcels=st.integers(30, 10**7),
    part=st.floats(0, 1),
    earned=st.integers(0, 10**10),
    paid=st.integers(-(10**6), 10**10),
)
def test_nothing_is_rounded_to_none_or_to_all(
    parcels: int, part: float, earned: int, paid: int
) -> None:
    claimed = int(parcels * part)
    said = year_words(Year("EUR", parcels, claimed, earned, paid), "en")
    assert ("none of" in said) == (claimed == 0)
    assert " 0%" not in said
    assert "€0.00" not in said
    assert ("Nothing had to be paid out" in said) == (earned > 0 and paid <= 0)
