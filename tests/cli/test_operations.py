"""Every command of docs/operations.md and docs/import.md, run in the order they stand in."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from portal import clock
from portal.cli import porchlight
from portal.sandbox import Box, create_sandbox, running
from portal.sources.csv_columns import COLUMNS
from tests.conftest import SECRET

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"^```\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.fixture
def easypost() -> Iterator[Box]:
    with running(create_sandbox(clock=clock.now)) as box:
        yield box


def commands(name: str) -> list[str]:
    text = (DOCS / name).read_text(encoding="utf-8")
    lines = [line for block in BLOCK.findall(text) for line in block.splitlines()]
    return [line for line in lines if line.startswith("porchlight ")]


def example(kind: str, book: str = "import.md") -> str:
    text = (DOCS / book).read_text(encoding="utf-8")
    found = re.search(rf"^```{kind}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert found is not None
    return found[1]


def deliveries() -> str:
    """A year of parcels, one a day, each two to five days on its way."""
    head = "carrier_at,delivered_at,promised_date,origin_state,origin_zip3,dest_state,dest_zip3"
    sent = [datetime(2025, 12, 1, 9, tzinfo=UTC) + timedelta(days=day) for day in range(360)]
    days = [timedelta(days=2 + number % 4) for number in range(360)]
    rows = (f"{at},{at + took},,NY,100,NJ,070" for at, took in zip(sent, days, strict=True))
    return "\n".join([head, *rows])


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run a line as a shell would, in a folder of its own, with these settings alone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SECRET_KEY", SECRET)
    monkeypatch.setenv("BASE_URL", "https://track.example.com")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/porchlight.db")
    return lambda line, **more: CliRunner(env=more).invoke(porchlight, shlex.split(line)[1:])


def test_every_command_of_the_book_works_in_its_order(
    at_home: Callable[..., Result], tmp_path: Path, easypost: Box
) -> None:
    (tmp_path / "orders.csv").write_text(example("csv"), encoding="utf-8")
    for name in ("policy.json", "policy-2.json"):
        (tmp_path / name).write_text(example("json", "returns.md"), encoding="utf-8")
    (tmp_path / "arrival.json").write_text(example("json", "arrival.md"), encoding="utf-8")
    (tmp_path / "deliveries.csv").write_text(deliveries(), encoding="utf-8")
    keys = {"EASYPOST_API_KEY": "EZTKbook", "EASYPOST_API_BASE": easypost.api_base}
    lines = commands("operations.md")
    for line in lines:
        done = at_home(line, **keys)
        expected = 1 if line == "porchlight doctor" else 0  # no worker runs here
        assert done.exit_code == expected, f"{line}\n{done.output}"
    assert len(lines) >= 11


def test_every_command_that_the_book_names_is_there() -> None:
    text = (DOCS / "operations.md").read_text(encoding="utf-8")
    for name in re.findall(r"`porchlight ([a-z]+)", text):
        assert name in porchlight.commands, name


def test_the_example_in_json_is_one_that_can_be_imported(
    at_home: Callable[..., Result], tmp_path: Path
) -> None:
    (tmp_path / "orders.json").write_text(example("json"), encoding="utf-8")
    at_home("porchlight migrate")
    at_home("porchlight shop create fern")
    done = at_home("porchlight orders import orders.json --shop fern")
    assert "Imported: 1 new" in done.output


def test_every_column_is_written_down() -> None:
    text = (DOCS / "import.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([a-z0-9_]+)`", text))
    assert {name for name in COLUMNS if not name.endswith("_minor")} <= named
