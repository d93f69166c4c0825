"""Every benchmark runs, in its smallest form, and tells what it measured."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from bench import batches, claims, growth, intake, measure, paint, tracking

pytestmark = [pytest.mark.long, pytest.mark.db]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rounds of few requests."""
    turns = measure.in_turns
    for module in (batches, claims, growth, intake, tracking):
        monkeypatch.setattr(module, "in_turns", lambda cases, _rounds=1: turns(cases, 1))
    for module, name, value in (
        (tracking, "ORDERS", 100),
        (tracking, "WARM", 5),
        (tracking, "COLD", 5),
        (growth, "COLD", 5),
        (intake, "ASKED", 32),
        (claims, "SMALL", 4_000),
        (claims, "CLAIMS", 1),
        (paint, "ORDERS", 20),
        (paint, "ROUNDS", 1),
    ):
        monkeypatch.setattr(module, name, value)


def names(lines: Iterable[dict[str, Any]]) -> set[str]:
    for line in lines:
        assert line.keys() >= {"ratio", "reference", "value", "unit", "runs", "goal", "met"}
    return {line["bench"] for line in lines}


def test_the_page_against_a_bare_one() -> None:
    assert names(tracking.run()) == {f"tracking_page_{each}" for each in ("kept", "again", "cold")}


def test_the_page_of_a_large_shop_against_a_small_ones(tmp_path: Path) -> None:
    found = names(growth._lines(tmp_path, None, (60, 240), 12))
    assert found >= {"tracking_growth_sqlite", "tracking_growth_postgresql"}


def test_pushes_and_sixteen_writers() -> None:
    found = {line["bench"]: line for line in intake.run()}
    assert found["hook_intake_statements"]["value"] <= intake.STATEMENTS
    assert {"hook_intake_cpu", "write_p99_16_writers"} <= found.keys()


def test_claims_of_one_and_four() -> None:
    assert len(names(claims._lines(8_000))) == 4


def test_answers_stored_together() -> None:
    assert len(names(batches.run())) == 2


def test_the_first_view_in_a_browser() -> None:
    assert {"paint_lcp_ms", "paint_document_bytes"} <= names(paint.run())
