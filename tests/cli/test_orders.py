"""Bringing orders in from files: all or nothing, and every error says where and what to do."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

from portal import create_app
from portal.db import db, every_shop, inside, session, writing
from portal.models import AuditEntry, Due, Message, Order, OrderLine, Shipment
from portal.models.observe import observe
from tests.cli.conftest import Run
from tests.conftest import settings_for, shop_id

HEADER = "number,email,placed_at,currency,sku,title,quantity,unit_price,carrier,tracking_number"
GOOD = f"""{HEADER}
1001,ann@example.com,2026-05-04T09:30:00+02:00,EUR,LAMP,Lamp,2,19.90,UPS,1Z999AA10123456784
1001,,,,BULB,Bulb,1,5.00,,
1002,bob@example.com,2026-05-05T09:30:00+02:00,EUR,LAMP,Lamp,1,19.90,,
"""


@pytest.fixture
def house(environ: dict[str, str]) -> Iterator[Flask]:
    app = create_app(settings_for(environ["DATABASE_URL"]))
    with app.app_context():
        yield app
        session.remove()
        db.engine.dispose()


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    path = tmp_path / "orders.csv"
    path.write_text(GOOD, encoding="utf-8")
    return path


def stored() -> dict[str, Order]:
    session.remove()
    with inside(shop_id("fern")):
        return {order.number: order for order in session.scalars(select(Order)).all()}


def lines_of(number: str) -> list[tuple[str, str, int, int]]:
    with inside(shop_id("fern")):
        rows = session.execute(
            select(OrderLine.sku, OrderLine.title, OrderLine.quantity, OrderLine.unit_price_minor)
            .join(Order, Order.id == OrderLine.order_id)
            .where(Order.number == number)
            .order_by(OrderLine.position)
        ).all()
        return [tuple(row) for row in rows]


def count_everything() -> int:
    with every_shop():
        tables = (Order, OrderLine, Shipment, AuditEntry, Due, Message)
        return sum(session.scalar(select(func.count()).select_from(each)) or 0 for each in tables)


def test_a_file_is_imported_with_its_lines_and_parcels(
    run: Run, house: Flask, fern: str, sheet: Path
) -> None:
    done = run("orders", "import", str(sheet), "--shop", fern)
    assert done.exit_code == 0, done.output
    assert "Imported: 2 new, 0 changed, 0 the same as before." in done.output
    assert set(stored()) == {"1001", "1002"}
    assert lines_of("1001") == [("LAMP", "Lamp", 2, 1990), ("BULB", "Bulb", 1, 500)]
    with inside(shop_id("fern")):
        [parcel] = session.scalars(select(Shipment)).all()
        assert parcel.tracking_number == "1Z999AA10123456784"
        assert [held.quantity for held in parcel.lines] == [2]
        assert session.scalar(select(Due.queue).where(Due.subject == parcel.id)) == "poll"


def test_the_same_file_may_be_imported_again(
    run: Run, house: Flask, fern: str, sheet: Path
) -> None:
    run("orders", "import", str(sheet), "--shop", fern)
    before = count_everything()
    again = run("orders", "import", str(sheet), "--shop", fern)
    assert "Imported: 0 new, 0 changed, 2 the same as before." in again.output
    assert count_everything() == before
    sheet.write_text(GOOD.replace("bob@example.com", "bo@example.com"), encoding="utf-8")
    third = run("orders", "import", str(sheet), "--shop", fern)
    assert "Imported: 0 new, 1 changed, 1 the same as before." in third.output


def test_a_dry_run_says_what_would_happen_and_stores_nothing(
    run: Run, house: Flask, fern: str, sheet: Path
) -> None:
    before = count_everything()
    done = run("orders", "import", str(sheet), "--shop", fern, "--dry-run")
    assert done.exit_code == 0
    assert "Dry run: 2 new, 0 changed, 0 the same as before. Nothing was stored." in done.output
    assert count_everything() == before


def test_one_bad_row_keeps_everything_out_and_names_row_column_and_remedy(
    run: Run, house: Flask, fern: str, sheet: Path, tmp_path: Path
) -> None:
    bad = "1003,carl(at)example.com,2026-05-04,EUR,LAMP,Lamp,one,19.90,,\n"
    sheet.write_text(GOOD + bad, encoding="utf-8")
    before = count_everything()
    report = tmp_path / "errors.csv"
    done = run("orders", "import", str(sheet), "--shop", fern, "--errors", str(report))
    assert done.exit_code == 1
    assert "Row 5, email (order 1003): This is no e-mail address. Write it like" in done.output
    assert "Row 5, placed_at (order 1003): This has no offset. Write it like" in done.output
    assert "Row 5, quantity (order 1003): “one” is no whole number. Write digits" in done.output
    assert "3 errors in 1 orders, so nothing was imported." in done.output
    assert count_everything() == before
    with report.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert {tuple(row[:3]) for row in rows[1:]} == {
        ("5", "1003", "email"),
        ("5", "1003", "placed_at"),
        ("5", "1003", "quantity"),
    }


def test_what_only_the_house_can_know_is_found_before_anything_is_stored(
    run: Run, house: Flask, fern: str, sheet: Path
) -> None:
    run("orders", "import", str(sheet), "--shop", fern)
    later = f"{HEADER}\n1010,,,EUR,A,A,1,1.00,,\n1002,,,USD,LAMP,Lamp,1,19.90,,\n"
    sheet.write_text(later, encoding="utf-8")
    done = run("orders", "import", str(sheet), "--shop", fern)
    assert done.exit_code == 1
    assert "Row 3, number (order 1002): The order is in EUR; its currency cannot" in done.output
    assert set(stored()) == {"1001", "1002"}


def test_the_good_orders_come_in_when_bad_ones_may_be_left_out(
    run: Run, house: Flask, fern: str, sheet: Path
) -> None:
    sheet.write_text(GOOD + "1003,,,EUR,A,A,0,1.00,,\n", encoding="utf-8")
    done = run("orders", "import", str(sheet), "--shop", fern, "--skip-bad-rows")
    assert done.exit_code == 0, done.output
    assert "Row 4" not in done.output
    assert "Row 5, quantity (order 1003): This must be 1 or more." in done.output
    assert "Left out: 1 with errors" in done.output
    assert set(stored()) == {"1001", "1002"}


def test_an_order_that_cannot_be_stored_leaves_nothing_of_itself_behind(
    run: Run, house: Flask, fern: str, sheet: Path
) -> None:
    rows = f"{HEADER},order_discount\n1,,,EUR,A,A,1,1.00,,,9.00\n2,,,EUR,A,A,1,1.00,,,\n"
    sheet.write_text(rows, encoding="utf-8")
    done = run("orders", "import", str(sheet), "--shop", fern, "--skip-bad-rows")
    assert "Row 2, order_discount (order 1)" in done.output
    assert set(stored()) == {"2"}
    assert lines_of("1") == []


@pytest.mark.parametrize("ending", ["json", "jsonl"])
def test_json_comes_as_a_list_or_by_line(
    run: Run, house: Flask, fern: str, tmp_path: Path, ending: str
) -> None:
    orders = [posted("1001"), posted("1002")]
    text = json.dumps(orders) if ending == "json" else "\n".join(map(json.dumps, orders))
    path = tmp_path / f"orders.{ending}"
    path.write_text(text, encoding="utf-8")
    done = run("orders", "import", str(path), "--shop", fern)
    assert "Imported: 2 new" in done.output
    assert set(stored()) == {"1001", "1002"}


def posted(number: str) -> dict[str, Any]:
    return {
        "number": number,
        "email": "ann@example.com",
        "placed_at": "2026-05-04T09:30:00+02:00",
        "currency": "EUR",
        "lines": [{"sku": "LAMP", "title": "Lamp", "quantity": 1, "unit_price_minor": 1990}],
        "shipments": [{"carrier": "UPS", "tracking_number": "1Z999AA10123456784"}],
    }


def test_every_shape_of_order_number_is_imported_and_found_again(
    run: Run, house: Flask, fern: str, tmp_path: Path, shared_data: Path
) -> None:
    with (shared_data / "formats" / "order_numbers.csv").open(encoding="utf-8") as file:
        numbers = [row["example"] for row in csv.DictReader(file)]
    path = tmp_path / "orders.csv"
    rows = "".join(f"{number},EUR\n" for number in [*numbers, "X/7841/Y", "#SAM-7841-2019"])
    path.write_text(f"number,currency\n{rows}", encoding="utf-8")
    done = run("orders", "import", str(path), "--shop", fern)
    assert f"Imported: {len(numbers) + 2} new" in done.output
    with inside(shop_id("fern")):
        for number in numbers:
            found = Order.numbered(number)
            assert found is not None
            assert found.number == number


def test_an_imported_parcel_says_nothing_about_what_is_past(
    run: Run, house: Flask, fern: str, sheet: Path
) -> None:
    run("orders", "import", str(sheet), "--shop", fern)
    from carriers.contract import Scan, Status, Tracking
    from portal import clock

    with inside(shop_id("fern")), writing():
        [parcel] = session.scalars(select(Shipment)).all()
        found = Shipment.locked(parcel.id)
        assert found is not None
        long_ago = found.order.placed_at
        scan = Scan(long_ago, Status.DELIVERED, message="Delivered")
        said = Tracking("trk_1", "UPS", parcel.tracking_number, Status.DELIVERED, scans=(scan,))
        observe(found, said, "poll", clock.now())
    with inside(shop_id("fern")):
        assert session.scalar(select(Shipment.status)) == "delivered"
        assert session.scalar(select(func.count()).select_from(Message)) == 0


@pytest.mark.parametrize("name", ["shopify", "woocommerce"])
def test_formats_that_come_later_say_so(run: Run, fern: str, sheet: Path, name: str) -> None:
    done = run("orders", "import", str(sheet), "--shop", fern, "--format", name)
    assert done.exit_code == 1
    assert f"Files of {name} cannot be read yet" in done.output


def test_an_ending_that_says_nothing_asks_for_the_format(
    run: Run, fern: str, tmp_path: Path
) -> None:
    path = tmp_path / "orders.dat"
    path.write_text(GOOD, encoding="utf-8")
    done = run("orders", "import", str(path), "--shop", fern)
    assert done.exit_code == 1
    assert "Add --format csv or --format json" in done.output
    assert run("orders", "import", str(path), "--shop", fern, "--format", "csv").exit_code == 0


def test_a_shop_that_is_not_there_is_named_beside_those_that_are(
    run: Run, fern: str, sheet: Path
) -> None:
    done = run("orders", "import", str(sheet), "--shop", "fen")
    assert done.exit_code == 1
    assert "There is no shop fen. There are: fern." in done.output


def test_what_a_spreadsheet_would_run_is_kept_as_text_and_reported_harmless(
    run: Run, house: Flask, fern: str, sheet: Path, tmp_path: Path
) -> None:
    formula = '=HYPERLINK("http://x")'
    cell = '"' + formula.replace('"', '""') + '"'
    sheet.write_text(f"{HEADER}\n=1+1,,,EUR,A,{cell},1,1.00,,\n", encoding="utf-8")
    run("orders", "import", str(sheet), "--shop", fern)
    assert lines_of("=1+1") == [("A", formula, 1, 100)]
    sheet.write_text(f"{HEADER}\n=1+1,nobody,,EUR,A,A,1,1.00,,\n", encoding="utf-8")
    report = tmp_path / "errors.csv"
    run("orders", "import", str(sheet), "--shop", fern, "--errors", str(report))
    assert "'=1+1" in report.read_text(encoding="utf-8")


def test_an_import_that_was_stopped_goes_on_when_it_is_run_again(
    run: Run, house: Flask, fern: str, sheet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = "".join(f"{n},,2026-05-04T09:30:00Z,EUR,A,A,1,1.00,,\n" for n in range(60))
    sheet.write_text(f"{HEADER}\n{rows}", encoding="utf-8")
    with time_machine.travel("2026-05-05T00:00:00Z", tick=True):
        run("orders", "import", str(sheet), "--shop", fern)
    half = 30
    with inside(shop_id("fern")), writing():
        for order in session.scalars(select(Order).order_by(Order.id).offset(half)).all():
            session.delete(order)
    again = run("orders", "import", str(sheet), "--shop", fern)
    assert "Imported: 30 new, 0 changed, 30 the same as before." in again.output
    assert len(stored()) == 60
