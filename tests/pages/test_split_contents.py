"""What the shop does not say about its parcels is still on the page."""

from __future__ import annotations

from flask import Flask

from tests.api.client import Api, line
from tests.pages.browser import Browser


def test_split_parcels_of_unknown_contents_show_the_orders_items_once(app: Flask) -> None:
    order = Api(app).order(
        currency="EUR",
        lines=[line("A", title="Olive tree"), line("B", title="Teapot")],
        shipments=[{"carrier": "UPS", "tracking_number": f"1Z{n}"} for n in range(2)],
    )
    page = Browser(app).get("/t/" + order["tracking_url"].rsplit("/", 1)[1]).text
    assert page.count("What is inside") == 1
    for title in ("Olive tree", "Teapot"):
        assert page.count(f">{title}<") == 1
