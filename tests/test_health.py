"""What machines that watch the house are told."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import select, text

from portal import clock
from portal.db import inside, session, writing
from portal.migrations import downgrade
from portal.models import Pulse, Shipment
from portal.models.due import set_gauge
from tests.conftest import running_app, shop_id
from tests.pages.browser import Browser
from tests.pages.orders import placed

METRICS = "metrics-token-0123456789"


def test_alive_asks_nobody(any_app: Flask) -> None:
    answer = Browser(any_app, "nobody").get("/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "alive"})


def test_ready_means_the_database_answers_with_this_schema(any_app: Flask) -> None:
    answer = Browser(any_app, "nobody").get("/readyz")
    assert (answer.status_code, answer.json) == (200, {"status": "ready"})
    session.remove()
    downgrade("base")
    answer = Browser(any_app).get("/readyz")
    assert answer.status_code == 503
    assert answer.json is not None
    assert "porchlight migrate" in answer.json["because"]
    assert Browser(any_app).get("/healthz").status_code == 200


def test_a_server_that_is_gone_is_not_ready(app: Flask) -> None:
    with writing():
        session.execute(text("DROP TABLE alembic_version"))
    assert Browser(app).get("/readyz").status_code == 503


@pytest.mark.parametrize(
    ("given", "status"),
    [
        (None, 401),
        ("", 401),
        ("Bearer ", 401),
        ("Bearer wrong", 401),
        (f"Bearer {METRICS}x", 401),
        (f"Bearer {METRICS[:-1]}", 401),
        ("Bearer é", 401),
        (f"Bearer {METRICS}", 200),
    ],
)
def test_figures_are_for_who_has_the_token(sqlite_url: str, given: str | None, status: int) -> None:
    for app in running_app(sqlite_url, METRICS_TOKEN=METRICS):
        headers = {} if given is None else {"Authorization": given}
        answer = Browser(app).get("/metrics", headers=headers)
        assert answer.status_code == status
        if status == 401:
            assert answer.headers["WWW-Authenticate"].lower().startswith("bearer")
            assert METRICS not in answer.text


def test_figures_count_over_all_shops(sqlite_url: str) -> None:
    for app in running_app(sqlite_url, METRICS_TOKEN=METRICS):
        placed("fern")
        placed("volta")
        said = Browser(app).get("/metrics", headers={"Authorization": f"Bearer {METRICS}"}).text
        assert 'porchlight_shipments{status="in_transit"} 2.0' in said
        assert "canary" not in said.lower()


def test_without_a_token_there_are_no_figures(app: Flask) -> None:
    assert Browser(app).get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404


def test_how_much_carriers_are_asked_is_told(sqlite_url: str) -> None:
    for app in running_app(sqlite_url, METRICS_TOKEN=METRICS):
        placed(number="1042")
        now = clock.now()
        with inside(shop_id("fern")), writing():
            for parcel in session.scalars(select(Shipment)):
                parcel.status, parcel.delivered_at, parcel.polls = "delivered", now, 7
                parcel.concern, parcel.concern_since = "late", now
            set_gauge("asked:somebody", 31, now.replace(hour=0, minute=0, second=0, microsecond=0))
            session.add(Pulse(came_at=now, heard_at=now, lost=3))
        text = Browser(app).get("/metrics", headers={"Authorization": f"Bearer {METRICS}"}).text
        assert "porchlight_polls_per_parcel 7.0" in text
        assert "porchlight_asked_today 31.0" in text
        assert 'porchlight_hooks_lost{shop="fern"} 3.0' in text
        assert 'porchlight_concerns{concern="late"}' in text
