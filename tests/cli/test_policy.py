"""`porchlight policy`: checking a document, and trying it on what was asked before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from portal.cli import porchlight
from returns.standard import standard_policy
from tests.cli.conftest import Run
from tests.models.bought import ask, bought, shirts


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """These say nothing that a kind of database could change."""
    return sqlite_url


def written(tmp_path: Path, **change: Any) -> str:
    file = tmp_path / "policy.json"
    file.write_text(json.dumps(standard_policy("USD", "UTC") | change), encoding="utf-8")
    return str(file)


def test_a_sound_policy_is_fit_to_be_published(run: Run, tmp_path: Path) -> None:
    done = run("policy", "check", written(tmp_path), "--cases")
    assert done.exit_code == 0, done.output
    assert "fit to be published" in done.output
    assert "window: day after (window_closed)" in done.output


@pytest.mark.parametrize(
    ("rules", "said"),
    [
        ([{"id": "x", "kind": "magic"}], "of kind 'magic'"),
        ([{"id": "w", "kind": "window", "days": 7}, {"id": "a", "kind": "approve"}], "EU law"),
        ([{"id": "f", "kind": "restocking_fee", "share_bps": 1, "waived_for": []}], "a fee for"),
    ],
)
def test_what_must_be_mended_is_said_and_ends_with_one(
    run: Run, tmp_path: Path, rules: list[dict[str, Any]], said: str
) -> None:
    done = run("policy", "check", written(tmp_path, rules=rules))
    assert done.exit_code == 1
    assert said in done.output


@pytest.mark.parametrize("text", ["", "{", "[]", "\x00", '{"version": 1}'])
def test_a_file_that_is_no_policy_is_refused_in_words(run: Run, tmp_path: Path, text: str) -> None:
    file = tmp_path / "policy.json"
    file.write_text(text, encoding="utf-8")
    done = run("policy", "check", str(file))
    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert "Traceback" not in done.output


def test_kept_cases_catch_what_a_later_policy_breaks(run: Run, tmp_path: Path) -> None:
    kept = str(tmp_path / "cases.json")
    assert run("policy", "check", written(tmp_path), "--save", kept).exit_code == 0
    assert run("policy", "check", written(tmp_path), "--expect", kept).exit_code == 0
    rules = standard_policy("USD", "UTC")["rules"]
    shorter = [rule | ({"days": 20} if rule["id"] == "window" else {}) for rule in rules]
    done = run("policy", "check", written(tmp_path, rules=shorter), "--expect", kept)
    assert done.exit_code == 1
    assert "window: last day ends as decline, not as approve" in done.output


def test_a_replay_says_what_would_have_changed(app: Flask, run: Run, tmp_path: Path) -> None:
    ask(bought(), shirts(2))
    ask(bought(number="1002"), shirts(1, "faulty"))
    rules = standard_policy("USD", "UTC")["rules"]
    fee = {"id": "fee", "kind": "restocking_fee", "amount_minor": 250}
    done = run("policy", "replay", written(tmp_path, rules=[fee, *rules]), "--shop", "fern")
    assert done.exit_code == 0, done.output
    assert "2 past requests, 1 would change, of 1 customers." in done.output
    assert "refund: -$5.00" in done.output
    assert "fee: $5.00" in done.output
    assert run("policy", "replay", written(tmp_path), "--shop", "none").exit_code == 1


def test_the_commands_are_there() -> None:
    assert set(porchlight.commands["policy"].commands) == {"check", "replay"}  # type: ignore[attr-defined]
