"""A page is read along indexes, however large the shop: SQLite is told so before it has rows."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from portal import standing
from portal.db import inside
from portal.pages.load import load_order, open_link
from tests.conftest import shop_id
from tests.pages.orders import link_to, placed

# Found by the shop alone: every row of a shop would be read.
BY_SHOP_ALONE = re.compile(r"SCAN (?!CONSTANT)|USING (?:COVERING )?INDEX \S+ \(shop_id=\?\)")
OF_THE_SHOP = {"protection_plan", "policy_version"}  # few rows whatever the shop sells


def test_no_step_of_a_page_reads_every_row_of_a_shop(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    order_id = placed()
    steps: list[str] = []
    first = standing._first

    def seen(held, sql, values):
        plan = held.dbapi_connection.execute(f"EXPLAIN QUERY PLAN {sql}", values).fetchall()
        steps.extend(row[3] for row in plan)
        return first(held, sql, values)

    monkeypatch.setattr(standing, "_first", seen)
    token = link_to(order_id)
    with inside(shop_id("fern")):
        open_link(token)
        load_order(order_id, "act")
    assert len(steps) > 20
    wide = [step for step in steps if BY_SHOP_ALONE.search(step)]
    assert [step for step in wide if step.split()[1] not in OF_THE_SHOP] == []
