"""`porchlight demo`: starts from nothing, shows everything, forgets nothing, harms nobody."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from flask import Flask

from portal.config import read_settings
from portal.demo.place import MADE, identity, read_kept, with_demo_settings
from portal.demo.rehearsal import Refused, prepare, wipe
from tests.demo.conftest import Demo, free_port, plain_environment, started, until

PAGE = re.compile(r'href="(http://(fern|volta)\.localhost:\d+/t/([A-Za-z0-9_-]+))"')
TITLE = re.compile(r"<title>[^:]+: (.+?) · ")
STATES = (
    "On its way", "Out for delivery", "Running late", "Held up by weather", "Delivery tried",
    "Ready for pickup", "Held by the carrier", "Delivered", "Took a wrong turn",
    "Coming back to us", "Packed", "1 of 3 parcels delivered", "Order placed",
)  # fmt: skip


def pages(demo: Demo) -> list[tuple[str, str]]:
    """Brand and path of every page the demo shows."""
    return [(brand, f"/t/{token}") for _, brand, token in PAGE.findall(demo.get("/demo").text)]


def words_of(demo: Demo, brand: str) -> set[str]:
    """The state that each page of a brand speaks of."""
    titles = set()
    for shop, path in pages(demo):
        if shop == brand:
            shown = demo.get(path, f"{brand}.localhost", headers={"Accept-Language": "en"})
            assert shown.status_code == 200
            titles.add(TITLE.findall(shown.text)[0])
    return titles


def files(home: Path) -> set[str]:
    """Every file beneath `home`."""
    return {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()}


def test_both_brands_show_parcels_in_every_state_within_seconds(demo: Demo) -> None:
    for brand in ("fern", "volta"):
        until(lambda brand=brand: set(STATES) <= words_of(demo, brand), 45)


def test_it_says_what_to_open(demo: Demo) -> None:
    said = demo.said.read_text()
    base = f"http://127.0.0.1:{demo.port}"
    for words in (f"{base}/demo", f"http://fern.localhost:{demo.port}/", "ada@example.com"):
        assert words in said
    for address in re.findall(r"http://\w+\.localhost:\d+/t/\S+", said):
        host, _, path = address.removeprefix("http://").partition(f":{demo.port}")
        assert demo.get(path, host).status_code == 200


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "fern.localhost", "volta.localhost"])
def test_every_name_of_the_house_opens_a_shop(demo: Demo, host: str) -> None:
    shown = demo.get("/", host)
    assert shown.status_code == 200
    assert ("Volta Nine" if "volta" in host else "Fern &amp; Fable") in shown.text


def test_commands_find_what_the_demo_keeps(demo: Demo) -> None:
    """A second terminal needs the database's name alone."""
    command = [sys.executable, "-m", "portal.cli", "token", "create", "--shop", "fern"]
    done = subprocess.run(
        [*command, "--scope", "orders"],
        env=plain_environment(DATABASE_URL=demo.url),
        cwd=demo.said.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    secret = done.stdout.strip().splitlines()[-1]
    found = demo.get("/api/v1/orders", headers={"Authorization": f"Bearer {secret}"})
    assert found.status_code == 200
    assert len(found.json()["orders"]) > 10


def test_a_second_demo_at_the_same_port_is_refused(demo: Demo) -> None:
    done = run_demo(demo.said.parent, "--port", str(demo.port))
    assert done.returncode == 1
    assert f"Port {demo.port} is taken" in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [("EASYPOST_API_KEY", "EZAKsomething0123456789"), ("STRIPE_SECRET_KEY", "sk_live_0123456789")],
)
@pytest.mark.parametrize("by_file", [False, True])
def test_live_keys_are_refused(tmp_path: Path, name: str, value: str, by_file: bool) -> None:
    given = {name: value}
    if by_file:
        (tmp_path / "key").write_text(value)
        given = {f"{name}_FILE": str(tmp_path / "key")}
    with pytest.raises(Refused, match=f"{name} is a live key"):
        prepare(8000, {"DATABASE_URL": f"sqlite:///{tmp_path}/a.db", **given}, live=False)
    assert list(tmp_path.glob("demo.json")) == []


def test_a_live_key_that_is_allowed_is_not_sent_to_a_stand_in(tmp_path: Path) -> None:
    given = {"DATABASE_URL": f"sqlite:///{tmp_path}/a.db", "EASYPOST_API_KEY": "EZAK0123456789"}
    rehearsal = prepare(free_port(), given, live=True)
    assert rehearsal.settings.easypost_api_base == "https://api.easypost.com/v2"
    assert rehearsal.sandbox is None
    assert rehearsal.settings.stripe_api_base.startswith("http://127.0.0.1:")


def test_every_setting_that_is_given_holds(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("a-given-secret-0123456789abcdefghij")
    given = {
        "DATABASE_URL": "postgresql://user:word@127.0.0.1/house",
        "SECRET_KEY_FILE": str(tmp_path / "secret"),
        "EASYPOST_API_BASE": "http://127.0.0.1:9/v2",
        "EASYPOST_WEBHOOK_SECRET": "given-hook-secret",
        "STRIPE_WEBHOOK_SECRET": "whsec_given",
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        rehearsal = prepare(free_port(), given, live=False)
        found = with_demo_settings({"DATABASE_URL": given["DATABASE_URL"]})
    settings = rehearsal.settings
    assert settings.database_url == given["DATABASE_URL"]
    assert settings.secret_key == "a-given-secret-0123456789abcdefghij"
    assert settings.easypost_api_base == given["EASYPOST_API_BASE"]
    assert settings.easypost_webhook_secret == "given-hook-secret"
    assert settings.stripe_webhook_secret == "whsec_given"
    assert rehearsal.sandbox is None
    assert "word" not in (tmp_path / "instance" / "demo.json").read_text()
    assert found["BASE_URL"] == settings.base_url


def test_what_is_kept_serves_that_database_alone(tmp_path: Path) -> None:
    mine = f"sqlite:///{tmp_path}/mine.db"
    first = prepare(free_port(), {"DATABASE_URL": mine}, live=False)
    again = prepare(free_port(), {"DATABASE_URL": mine}, live=False)
    assert again.settings.secret_key == first.settings.secret_key
    assert with_demo_settings({"DATABASE_URL": mine})["SECRET_KEY"] == first.settings.secret_key
    other = {"DATABASE_URL": f"sqlite:///{tmp_path}/other.db"}
    assert with_demo_settings(other) == other
    assert (tmp_path / "demo.json").stat().st_mode & 0o077 == 0


def test_fresh_wipes_no_database_that_was_there_before(tmp_path: Path, sqlite_url: str) -> None:
    done = run_demo(tmp_path, "--port", str(free_port()), "--fresh", DATABASE_URL=sqlite_url)
    assert done.returncode == 1
    assert "was not made by a demo" in done.stderr
    assert (tmp_path / "porchlight.db").stat().st_size > 100_000


def test_serving_knows_no_demo(app: Flask) -> None:
    rules = {str(rule) for rule in app.url_map.iter_rules()}
    assert not [rule for rule in rules if rule.startswith(("/demo", "/_sandbox"))]
    assert app.test_client().get("/demo").status_code == 404


def run_demo(home: Path, *options: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """A demo that is expected to refuse."""
    return subprocess.run(
        [sys.executable, "-m", "portal.cli", "demo", *options],
        env=plain_environment(**{"DATABASE_URL": f"sqlite:///{home}/x.db", **settings}),
        cwd=home,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


@contextmanager
def somebodys_easypost() -> Iterator[tuple[str, list[str]]]:
    """Another stand-in, as a tester brings one: knows every number and one status."""
    asked: list[str] = []

    class Answer(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            number = body.get("tracker", body)["tracking_code"]
            asked.append(number)
            told = json.dumps(tracker(number)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v2", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def tracker(number: str) -> dict[str, object]:
    """A parcel at the door, told as EasyPost tells it."""
    scan = {
        "object": "TrackingDetail", "message": "Out for delivery", "status": "out_for_delivery",
        "status_detail": "out_for_delivery", "datetime": "2026-11-20T08:00:00Z", "source": "UPS",
        "tracking_location": {"object": "TrackingLocation", "city": "AUSTIN", "state": "TX",
                              "country": "US", "zip": None},
    }  # fmt: skip
    return {
        "id": f"trk_{number}", "object": "Tracker", "mode": "test", "tracking_code": number,
        "status": "out_for_delivery", "status_detail": "out_for_delivery", "carrier": "UPS",
        "created_at": "2026-11-20T08:00:00Z", "updated_at": "2026-11-20T08:00:00Z",
        "tracking_details": [scan], "carrier_detail": None, "fees": [], "est_delivery_date": None,
    }  # fmt: skip


@pytest.mark.long
def test_another_stand_in_can_be_asked_instead(tmp_path: Path) -> None:
    with somebodys_easypost() as (base, asked):
        demo = started(tmp_path / "home", EASYPOST_API_BASE=base)
        try:
            until(lambda: asked)
            until(lambda: "Out for delivery" in words_of(demo, "fern"))
            assert "Send a parcel" not in demo.get("/demo").text
        finally:
            demo.stop()


@pytest.mark.long
def test_a_restart_keeps_everything_and_fresh_begins_anew(tmp_path: Path) -> None:
    home = tmp_path / "home"
    first = started(home)
    until(lambda: set(STATES) <= words_of(first, "fern"))
    shown = pages(first)
    assert first.stop() == 0
    again = started(home)
    assert pages(again) == shown
    assert set(STATES) <= words_of(again, "fern")
    assert read_kept(home)[MADE] == identity(again.url)
    assert again.stop() == 0
    anew = started(home, "--fresh")
    assert {path for _, path in pages(anew)}.isdisjoint({path for _, path in shown})
    assert anew.stop() == 0


@pytest.mark.long
def test_fresh_leaves_nothing_of_what_a_demo_made(tmp_path: Path) -> None:
    first = started(tmp_path)
    assert first.stop() == 0
    made = files(tmp_path)
    assert {"demo.json", "demo.log", "house.db", "house.db.lock", "house.db.turn"} <= made
    wipe(read_settings(with_demo_settings({"DATABASE_URL": first.url})))
    assert files(tmp_path) == {first.said.name}


@pytest.mark.long
@pytest.mark.db
def test_it_runs_on_postgresql_and_fresh_wipes_that_too(
    tmp_path: Path, fresh_postgres: str
) -> None:
    first = started(tmp_path / "home", DATABASE_URL=fresh_postgres)
    until(lambda: set(STATES) <= words_of(first, "volta"))
    shown = pages(first)
    assert first.stop() == 0
    anew = started(tmp_path / "home", "--fresh", DATABASE_URL=fresh_postgres)
    assert len(pages(anew)) == len(shown)
    assert {path for _, path in pages(anew)}.isdisjoint({path for _, path in shown})
    assert anew.stop() == 0
