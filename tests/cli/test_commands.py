"""All commands: what a wrong setting does to them, shops and tokens, asking carriers."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from click.testing import CliRunner, Result
from sqlalchemy import select

from carriers.easypost import EasyPost
from portal import clock, create_app
from portal.cli import porchlight
from portal.db import db, inside, session
from portal.demo.place import SERVES, identity, keep
from portal.keys import digest
from portal.models import ApiToken
from portal.sandbox import Box, create_sandbox, running
from tests.cli.conftest import Run
from tests.conftest import SECRET, settings_for, shop_id

ARGUMENTS = {
    "migrate": [],
    "serve": [],
    "worker": [],
    "doctor": ["--offline"],
    "shop list": [],
    "shop create": ["x"],
    "token create": ["--shop", "x", "--scope", "*"],
    "orders import": [__file__, "--shop", "x", "--format", "csv"],
    "track": ["UPS", "1Z999AA10123456784"],
    "sandbox": [],
    "backup": ["/tmp/never.tar"],  # noqa: S108 - refused before it is written
    "restore": [__file__],
    "erase": ["x@example.com", "--shop", "x"],
    "audit verify": [],
}


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """These say nothing that a kind of database could change."""
    return sqlite_url


@pytest.mark.parametrize("command", list(ARGUMENTS))
def test_a_bad_setting_stops_every_command_and_names_itself(run: Run, command: str) -> None:
    words = [*command.split(), *ARGUMENTS[command]]
    done = run(*words, DATABASE_URL="mysql://root@127.0.0.1/shop", TRUSTED_PROXIES="many")
    assert done.exit_code in {1, 2}
    assert "DATABASE_URL must be sqlite:///FILE or postgresql://" in done.output
    assert "TRUSTED_PROXIES must be the number of proxies" in done.output
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert not Path("/tmp/never.tar").exists()  # noqa: S108


def test_every_command_says_what_it_does_and_is_written_down() -> None:
    book = (Path(__file__).parents[2] / "docs" / "operations.md").read_text(encoding="utf-8")
    for name, command in porchlight.commands.items():
        assert command.help, name
        assert f"porchlight {name}" in book, name


def test_a_process_of_its_own_ends_without_a_trace(tmp_path: Path) -> None:
    done = process("shop", "list", cwd=tmp_path, SECRET_KEY="short")
    assert done.returncode == 2
    assert "porchlight: SECRET_KEY is too weak" in done.stderr
    assert "Traceback" not in done.stderr


def test_before_migrate_a_command_says_so(tmp_path: Path) -> None:
    done = process("shop", "list", cwd=tmp_path)
    assert done.returncode == 2
    assert "is not at this version's schema" in done.stderr
    assert "Run: porchlight migrate" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    url = f"sqlite:///{tmp_path}/file/porchlight.db"
    done = process("shop", "list", cwd=tmp_path, DATABASE_URL=url)
    assert done.returncode == 2
    assert "DATABASE_URL names a place that cannot be used" in done.stderr


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Run commands in a folder of its own with no settings at all."""
    monkeypatch.chdir(tmp_path)
    for name in ("SECRET_KEY", "BASE_URL", "DATABASE_URL", "QUEUE_URL", "MEDIA_ROOT"):
        monkeypatch.delenv(name, raising=False)
    return lambda *words: CliRunner().invoke(porchlight, words)


def test_a_house_needs_nothing_but_a_folder(at_home: Callable[..., Result], tmp_path: Path) -> None:
    assert at_home("migrate").exit_code == 0
    made = at_home("shop", "create", "fern", "--name", "Fern & Fable")
    assert made.output == "fern  http://127.0.0.1:8000\n"
    assert (tmp_path / "instance" / "porchlight.db").exists()
    assert "Fern & Fable" in at_home("shop", "list").output


def test_commands_find_the_settings_that_the_demo_keeps(
    at_home: Callable[..., Result], tmp_path: Path
) -> None:
    kept = {SERVES: identity(""), "SECRET_KEY": SECRET, "BASE_URL": "http://127.0.0.1:8123"}
    keep(tmp_path / "instance", kept)
    assert at_home("migrate").exit_code == 0
    made = at_home("shop", "create", "fern")
    assert made.output == "fern  http://127.0.0.1:8123\n"
    (tmp_path / "orders.csv").write_text("number,currency\n1001,EUR\n")
    done = at_home("orders", "import", "orders.csv", "--shop", "fern")
    assert "Imported: 1 new" in done.output, done.output
    assert at_home("audit", "verify").exit_code == 0


def process(*words: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """The command as an operator runs it, with these settings alone."""
    return subprocess.run(
        [sys.executable, "-m", "portal.cli", *words],
        cwd=cwd,
        env=plain() | environ,
        capture_output=True,
        text=True,
        timeout=120,
    )


def plain() -> dict[str, str]:
    names = ("PATH", "HOME", "LANG", "PYTHONPATH")
    return {name: os.environ[name] for name in names if name in os.environ}


# Shops and tokens


def test_the_first_shop_is_the_default_and_lives_at_the_house(run: Run, fern: str) -> None:
    second = run("shop", "create", "volta", "--origin", "https://track.volta.example")
    assert second.output == "volta  https://track.volta.example\n"
    third = run("shop", "create", "third")
    assert third.output == "third  http://third.localhost:8000\n"
    listed = run("shop", "list").output.splitlines()
    assert listed[0] == "fern  http://127.0.0.1:8000  Fern & Fable"
    assert [line.split()[0] for line in listed] == ["fern", "volta", "third"]


@pytest.mark.parametrize("slug", ["Fern", "fe rn", "-fern", "fern/x", ""])
def test_a_slug_that_no_url_could_hold_is_refused(run: Run, slug: str) -> None:
    done = run("shop", "create", slug) if slug[:1] != "-" else run("shop", "create", "--", slug)
    assert done.exit_code == 1
    assert "A slug is lower-case letters, digits and hyphens." in done.output


def test_a_shop_is_made_once(run: Run, fern: str) -> None:
    done = run("shop", "create", fern)
    assert done.exit_code == 1
    assert "There is a shop fern already." in done.output


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--currency", "EUX", "ISO 4217"),
        ("--country", "XQ", "ISO 3166"),
        ("--timezone", "Berlin", "Take Europe/Berlin"),
        ("--locale", "klingon", "locale"),
        ("--theme", "nosuch", "theme"),
        ("--origin", "track.fern.com", "https://"),
    ],
)
def test_what_a_shop_could_not_use_is_refused(run: Run, option: str, value: str, said: str) -> None:
    done = run("shop", "create", "fern", option, value)
    assert done.exit_code == 1
    assert said in done.output


def test_a_token_stands_alone_on_the_last_line_and_is_kept_as_its_digest(
    run: Run, fern: str, environ: dict[str, str]
) -> None:
    done = run("token", "create", "--shop", fern, "--scope", "orders", "--scope", "shipments")
    secret = done.output.splitlines()[-1]
    assert re.fullmatch(r"pl_[\w-]{32}", secret)
    app = create_app(settings_for(environ["DATABASE_URL"]))
    with app.app_context():
        with inside(shop_id(fern)):
            token = session.scalars(select(ApiToken)).one()
            assert token.token_digest == digest(secret)
            assert token.scopes == ["orders", "shipments"]
        session.remove()
        db.engine.dispose()


def test_a_scope_that_is_not_there_is_named_beside_those_that_are(run: Run, fern: str) -> None:
    done = run("token", "create", "--shop", fern, "--scope", "order")
    assert done.exit_code == 1
    assert "No such scope: order. Known: orders shipments" in done.output


# Asking carriers


@pytest.fixture
def easypost() -> Iterator[Box]:
    with running(create_sandbox(clock=clock.now)) as box:
        yield box


def test_track_prints_what_the_carrier_says_and_stores_nothing(
    run: Run, fern: str, easypost: Box, environ: dict[str, str]
) -> None:
    keys = {"EASYPOST_API_KEY": "EZTKtest", "EASYPOST_API_BASE": easypost.api_base}
    before = Path(environ["DATABASE_URL"].removeprefix("sqlite:///")).read_bytes()
    done = run("track", "usps", "EZ4000000004", **keys)
    assert done.exit_code == 0, done.output
    first, *scans = done.output.splitlines()
    assert first.startswith("USPS EZ4000000004: delivered")
    assert len(scans) >= 3
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\dZ  \w+", line) for line in scans[1:])
    assert Path(environ["DATABASE_URL"].removeprefix("sqlite:///")).read_bytes() == before
    nothing = run("track", "auto", "1Z999AA10123456784", **keys)
    assert "No scans yet." in nothing.output


def test_a_carrier_that_is_not_known_gives_candidates(run: Run) -> None:
    done = run("track", "Fedx", "1Z999AA10123456784", EASYPOST_API_KEY="EZTKtest")
    assert done.exit_code == 1
    assert "We know no carrier “Fedx”." in done.output
    assert "Did you mean FedEx" in done.output
    assert "1Z999AA10123456784 may be one of UPS" in done.output


def test_track_without_a_key_says_what_to_set(run: Run) -> None:
    done = run("track", "UPS", "1Z999AA10123456784")
    assert done.exit_code == 1
    assert "EASYPOST_API_KEY is not set" in done.output


def test_a_refusal_of_the_provider_is_a_sentence(run: Run, easypost: Box) -> None:
    with running(create_sandbox(api_key="EZTKright", clock=clock.now)) as strict:
        keys = {"EASYPOST_API_KEY": "EZTKwrong", "EASYPOST_API_BASE": strict.api_base}
        done = run("track", "UPS", "1Z999AA10123456784", **keys)
    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert "EZTKwrong" not in done.output


def test_the_sandbox_says_how_to_point_at_it_and_takes_the_real_client(tmp_path: Path) -> None:
    words = [sys.executable, "-u", "-m", "portal.cli", "sandbox", "--port", "0"]
    stand_in = subprocess.Popen(words, cwd=tmp_path, env=plain(), stdout=subprocess.PIPE, text=True)
    assert stand_in.stdout is not None
    try:
        told = ""
        while "Ctrl-C" not in told:
            told += stand_in.stdout.readline() or pytest.fail(told)
        base = re.search(r"EASYPOST_API_BASE=(\S+)", told)
        assert base is not None
        found = EasyPost("EZTKsandbox", base[1]).open_tracker("USPS", "EZ1000000001")
        assert found.scans
        till = re.search(r"STRIPE_API_BASE=(\S+)\n +STRIPE_SECRET_KEY=(\S+)", told)
        assert till is not None
        bearer = {"Authorization": f"Bearer {till[2]}"}
        listed = requests.get(f"{till[1]}/v1/refunds", headers=bearer, timeout=10)
        assert (listed.status_code, listed.json()["data"]) == (200, [])
        taken = process("sandbox", "--port", base[1].split(":")[2].split("/")[0], cwd=tmp_path)
        assert taken.returncode == 1
        assert "is taken. Choose another: --port" in taken.stderr
    finally:
        stand_in.send_signal(signal.SIGTERM)
        assert stand_in.wait(20) == 0
        stand_in.stdout.close()
    with pytest.raises(requests.ConnectionError):
        requests.get(base[1], timeout=2)
