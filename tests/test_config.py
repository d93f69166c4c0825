"""A bad setting stops the boot and names itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from portal.config import SERVING, SettingsError, is_loopback, read_settings
from portal.disks import disk_of

GOOD = {
    "SECRET_KEY": "0123456789abcdefghijklmnopqrstuv",
    "BASE_URL": "https://track.example.com",
    "DATABASE_URL": "postgresql://u:p@db/porchlight",
}


def problems(**changes: str | None) -> list[str]:
    environ = {k: v for k, v in {**GOOD, **changes}.items() if v is not None}
    with pytest.raises(SettingsError) as caught:
        read_settings(environ, need=SERVING)
    return caught.value.problems


@pytest.mark.parametrize("name", SERVING)
def test_serving_needs_its_three_settings(name: str) -> None:
    [said] = problems(**{name: None})
    assert said.startswith(f"{name} is not set.")


def test_every_wrong_setting_is_named_at_once() -> None:
    said = problems(SECRET_KEY="dev", BASE_URL="shop", EASYPOST_API_KEY="")
    assert [line.split()[0] for line in said] == ["EASYPOST_API_KEY", "SECRET_KEY", "BASE_URL"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", "changeme"),
        ("SECRET_KEY", "a" * 64),
        ("BASE_URL", "http://track.example.com"),
        ("BASE_URL", "https://track.example.com/shop"),
        ("BASE_URL", "ftp://track.example.com"),
        ("BASE_URL", "https://track.example.com:x"),
        ("DATABASE_URL", "mysql://db/x"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "postgresql://db"),
        ("QUEUE_URL", "amqp://x"),
        ("POLL_EFFORT", "0"),
        ("POLL_EFFORT", "11"),
        ("POLL_EFFORT", "nan"),
        ("POLL_EFFORT", "often"),
        ("POLLS_PER_MINUTE", "0"),
        ("POLLS_PER_MINUTE", "2.5"),
        ("POLLS_PER_DAY", "-5"),
        ("POLLS_PER_DAY", "9" * 12),
        ("TRUSTED_PROXIES", "-1"),
        ("TRUSTED_PROXIES", "many"),
        ("LIVE_SLOTS", "half"),
        ("EASYPOST_API_BASE", "http://api.easypost.test/v2"),
        ("STRIPE_API_BASE", "stripe"),
        ("SMTP_URL", "mail.example.com"),
        ("MAIL_FROM", "shop@example.com\r\nBcc: all@example.com"),
        ("EASYPOST_WEBHOOK_SECRET", "   "),
        ("BASE_URL", "https://track.example.com/#top"),
        ("BASE_URL", "https://user@track.example.com"),
        ("DATABASE_URL", "postgresql://[db/x"),
        ("QUEUE_URL", "redis://"),
        ("QUEUE_URL", "postgresql://db"),
        ("REDIS_URL", "https://cache"),
        ("REDIS_URL", "redis://cache:0"),
        ("MEDIA_ROOT", __file__),
        ("TRUSTED_PROXIES", "11"),
        ("TRUSTED_PROXIES", "1.0"),
        ("TWILIO_API_BASE", "http://twilio.test"),
        ("SECRET_KEY_FALLBACKS", "dev"),
        ("SECRET_KEY_FALLBACKS", "0123456789abcdefghijklmnopqrstuv,dev"),
        ("EASYPOST_API_KEY", "EZ TK"),
        ("STRIPE_SECRET_KEY", "sk_test_ü"),
        ("TWILIO_AUTH_TOKEN", "a\tb"),
        ("TWILIO_ACCOUNT_SID", "a b"),
        ("METRICS_TOKEN", "a b"),
        ("SMTP_URL", "smtp://mail:0"),
    ],
)
def test_a_bad_value_is_named(name: str, value: str) -> None:
    said = problems(**{name: value, "MAIL_FROM": "a@b.test"} | {name: value})
    assert any(line.startswith(f"{name} ") for line in said)


def test_a_secret_is_never_repeated_in_the_sentence() -> None:
    assert "hunter2" not in "\n".join(problems(SECRET_KEY="hunter2", DATABASE_URL="hunter2"))


def test_live_keys_do_not_rehearse() -> None:
    [said] = problems(EASYPOST_API_KEY="EZAKlive", EASYPOST_API_BASE="http://127.0.0.1:9/v2")
    assert "EASYPOST_API_KEY is a live key" in said


def test_mail_needs_a_sender() -> None:
    [said] = problems(SMTP_URL="smtp://mail.example.com")
    assert said.startswith("MAIL_FROM is not set")


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(GOOD["SECRET_KEY"] + "\n")
    environ = {**GOOD, "SECRET_KEY_FILE": str(file)}
    del environ["SECRET_KEY"]
    assert read_settings(environ, need=SERVING).secret_key == GOOD["SECRET_KEY"]
    assert problems(SECRET_KEY=None, SECRET_KEY_FILE=str(tmp_path / "none"))[0].startswith(
        "SECRET_KEY_FILE cannot be read"
    )
    assert "both set" in problems(SECRET_KEY_FILE=str(file))[0]


def test_every_setting_may_come_from_a_file(tmp_path: Path) -> None:
    """A bad one in a file is named as any other; an empty file is no setting."""
    for name in ("BASE_URL", "METRICS_TOKEN", "STRIPE_WEBHOOK_SECRET", "DATABASE_URL"):
        file = tmp_path / name
        file.write_text(" \n")
        environ = {key: value for key, value in GOOD.items() if key != name}
        with pytest.raises(SettingsError) as caught:
            read_settings({**environ, f"{name}_FILE": str(file)})
        assert caught.value.problems == [f"{name} is set but empty. Give it a value or remove it."]
        file.write_bytes(b"\xff\xfe")
        with pytest.raises(SettingsError, match=f"{name}_FILE cannot be read"):
            read_settings({**environ, f"{name}_FILE": str(file)})


def test_defaults_lie_beside_the_database(tmp_path: Path) -> None:
    settings = read_settings({"DATABASE_URL": f"sqlite:///{tmp_path}/house.db"})
    assert settings.queue_url == f"sqlite:///{tmp_path}/queue.db"
    assert settings.media_root == f"{tmp_path}/media"
    assert settings.sqlite_path == tmp_path / "house.db"


@pytest.mark.parametrize(
    ("base", "kept"),
    [
        ("http://127.0.0.1:9", "http://127.0.0.1:9/v2"),
        ("http://127.0.0.1:9/v2/", "http://127.0.0.1:9/v2"),
        ("https://proxy.example.com/easypost/v2", "https://proxy.example.com/easypost/v2"),
    ],
)
def test_the_api_base_keeps_its_version(base: str, kept: str) -> None:
    assert read_settings({**GOOD, "EASYPOST_API_BASE": base}).easypost_api_base == kept


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("fern.localhost", True),
        ("127.8.9.1", True),
        ("::1", True),
        ("localhost.example.com", False),
        ("10.0.0.1", False),
        ("", False),
        (None, False),
    ],
)
def test_loopback_is_known_by_name_and_number(host: str | None, here: bool) -> None:
    assert is_loopback(host) is here


def test_a_command_ends_with_the_sentence_and_no_trace(tmp_path: Path) -> None:
    environ = {**os.environ, "SECRET_KEY": "dev", "DATABASE_URL": f"sqlite:///{tmp_path}/x.db"}
    run = subprocess.run(
        [sys.executable, "-m", "portal.cli", "shop", "list"],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 2
    assert run.stderr.startswith("porchlight: SECRET_KEY is too weak")
    assert "Traceback" not in run.stderr


def test_the_kind_of_disk_is_the_deepest_mount() -> None:
    mounts = "/dev/a / ext4 rw 0 0\nserver:/x /srv/shop\\040data nfs4 rw 0 0\n"
    assert disk_of(Path("/srv/shop data/house.db"), mounts) == "nfs4"
    assert disk_of(Path("/srv/other/house.db"), mounts) == "ext4"
