"""House rules that no linter knows."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

ROOT = Path(__file__).resolve().parents[1]
PORTAL = ROOT / "portal"
PAGES = [
    path
    for path in sorted((PORTAL / "templates").rglob("*.html"))
    if "mail" not in path.relative_to(PORTAL).parts
]

ADAPTERS = ("portal/sources", "portal/channels", "portal/payments")


def sources(*folders: str) -> Iterator[tuple[Path, str]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "versions" not in path.parts:
                yield path.relative_to(ROOT), path.read_text(encoding="utf-8")


def calls(text: str) -> set[str]:
    """The names of everything a module calls, with what stands before the dot."""
    return {
        ast.unparse(node.func) for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call)
    }


def test_only_the_top_row_opens_a_writing_transaction() -> None:
    for path, text in sources("portal/models", *ADAPTERS):
        assert not calls(text) & {"writing", "session.commit"}, path


def test_adapters_take_and_give_plain_data() -> None:
    for path, text in sources(*ADAPTERS):
        assert not re.search(r"^(?:from|import) portal\.(?:models|pages|db|jobs)\b", text, re.M), (
            path
        )


def test_nothing_but_the_database_module_commits() -> None:
    for path, text in sources("portal"):
        if path.name != "db.py" and "sandbox" not in path.parts:
            assert "session.commit" not in calls(text), path


def test_nobody_asks_a_bare_table() -> None:
    """The filter that keeps shops apart works on classes."""
    for path, text in sources("portal"):
        if path.name != "tenancy.py":
            assert "__table__" not in text, path


def test_the_stand_in_is_known_to_the_rehearsal_alone() -> None:
    for path, text in sources("portal", "carriers", "returns", "themes"):
        if "portal.sandbox" in text and "sandbox" not in path.parts:
            assert {"demo", "cli"} & set(path.parts), path


def test_the_pure_folders_have_no_clock() -> None:
    for path, text in sources("carriers", "returns"):
        clocks = {"datetime.now", "datetime.utcnow", "time.time", "date.today"}
        assert not calls(text) & clocks, path


def test_one_clock_for_the_site() -> None:
    for path, text in sources("portal"):
        if path.name != "clock.py":
            assert not calls(text) & {"datetime.now", "datetime.utcnow", "date.today"}, path


@pytest.mark.parametrize("path", PAGES, ids=lambda p: str(p.relative_to(PORTAL)))
def test_a_page_has_nothing_inline_and_nothing_from_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle\s*=", text)
    assert not re.search(r"\son[a-z]+\s*=\s*[\"']", text)
    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"(?:src|href|action)=[\"']https?://", text)


def test_every_form_that_posts_carries_its_token() -> None:
    for path in PAGES:
        for form in re.findall(r"<form\b[^>]*method=\"post\".*?</form>", path.read_text(), re.S):
            assert "csrf_field()" in form, path


def test_every_template_compiles(app: Flask) -> None:
    for name in app.jinja_env.list_templates():
        if name.endswith((".html", ".txt")):
            app.jinja_env.get_template(name)


def test_functions_and_files_stay_short() -> None:
    long_files = {}
    for path, text in sources("portal", "carriers", "returns", "themes"):
        lines = text.count("\n")
        if lines > 350:
            long_files[str(path)] = lines
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 60, f"{path}:{node.name}"
    assert not long_files


def test_nothing_is_switched_off() -> None:
    switched = re.compile(r"@pytest\.mark\.(?:skip|xfail)\b|\bassert True\b")
    for path, text in sources("tests"):
        if path.name != Path(__file__).name:
            assert not switched.search(text), path
