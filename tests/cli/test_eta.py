"""`porchlight eta backtest`: its figures on recorded deliveries, and its words on bad files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from portal.cli import porchlight

HEAD = "carrier_at,delivered_at,promised_date,origin_state,origin_zip3,dest_state,dest_zip3"
FIGURES = {
    *("rows", "mae_days", "coverage_80", "width_days", "pinball"),
    *("late_after_window", "rows_per_second"),
}


def tried(file: Path, *more: str) -> Result:
    """The command, in a house with no settings at all."""
    return CliRunner(env={"SECRET_KEY": None, "DATABASE_URL": None}).invoke(
        porchlight, ["eta", "backtest", str(file), *more]
    )


def figures(done: Result) -> dict[str, Any]:
    assert done.exit_code == 0, done.output
    found = json.loads(done.output.splitlines()[-1])
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("since", [(), ("--since", "2017-07-01")])
def test_it_tells_arrivals_better_than_plain_quantiles(
    shared_data: Path, since: tuple[str, ...]
) -> None:
    done = tried(shared_data / "delivery" / "deliveries_sample.csv", *since)
    ours = figures(done)
    plain = ours["baseline"]
    assert ours.keys() == FIGURES | {"baseline"}
    assert plain.keys() == FIGURES
    assert ours["mae_days"] <= 0.96 * plain["mae_days"]
    assert sum(ours["pinball"].values()) <= 0.96 * sum(plain["pinball"].values())
    assert 0.76 <= ours["coverage_80"] <= 0.84
    assert ours["late_after_window"] <= plain["late_after_window"] * 2 / 3
    months = [line.split() for line in done.output.splitlines() if " parcels, " in line]
    held = [float(inside.rstrip("%")) for _, count, _, inside, _ in months if int(count) >= 300]
    assert held
    assert min(held) >= 65


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "names no column carrier_at"),
        ("carrier_at,delivered_at\n", "names no column promised_date, origin_state"),
        (HEAD, "holds no delivery"),
        (f"{HEAD}\n2026-01-01,soon,,A,1,B,2", "line 2, column delivered_at: 'soon' is not a date"),
        (f"{HEAD}\n2026-01-01,2026-01-02,0,A,1,B,2", "line 2, column promised_date: '0'"),
        (f"{HEAD}\n2026-01-05,2026-01-02,,A,1,B,2", "before the hand-over"),
        (f"{HEAD}\n,2026-01-02,,A,1,B,2", "holds no delivery"),
        (f"{HEAD}\n2026-01-01,2026-01-02", "No row could be scored"),
        (f'{HEAD}\n"2026', "not readable as CSV"),
    ],
)
def test_a_bad_file_is_named_with_its_row_and_column(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(text, encoding="utf-8")
    done = tried(file)
    assert done.exit_code == 1
    assert said in done.output
    assert "Traceback" not in done.output


def test_a_file_that_is_no_text_and_a_bad_date_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    file.write_bytes(b"\xff\xfe\x00\x01")
    assert "not UTF-8" in tried(file).output
    assert "--since: 'May' is not a date" in tried(file, "--since", "May").output
