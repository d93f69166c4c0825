"""The files around the code agree with the code: commands, settings, locks, image, checks."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import click
import pytest

from portal.cli import porchlight
from portal.config import Settings

ROOT = Path(__file__).resolve().parents[1]
NAMES = {field.name.upper() for field in fields(Settings)}


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def commands(source: str) -> list[list[str]]:
    """What stands after `porchlight` wherever it is run."""
    plain = re.sub(r'["\[\],]', " ", source)
    found = re.findall(r"porchlight((?: +(?:--?[a-z-]+|[a-z0-9.]+))+)", plain)
    return [words.split() for words in found]


@pytest.mark.parametrize("name", ["Dockerfile", "compose.yaml", "Makefile"])
def test_the_commands_that_are_run_exist(name: str) -> None:
    lines = [line for line in text(name).splitlines() if not line.lstrip().startswith("#")]
    run = [line for line in lines if re.search(r"CMD|command:|/porchlight ", line)]
    asked = [words for line in run for words in commands(line) if words[0] in porchlight.commands]
    assert asked, name
    for verb, *options in asked:
        known = {o for p in porchlight.commands[verb].params for o in p.opts}
        assert {o for o in options if o.startswith("-")} <= known, (name, verb)


def test_web_worker_and_schema_are_started_by_compose() -> None:
    verbs = {words[0] for words in commands(text("compose.yaml")) if words}
    assert {"serve", "worker", "migrate"} <= verbs
    for verb in ("serve", "worker", "migrate"):
        assert isinstance(porchlight.commands[verb], click.Command)


def test_the_image_runs_as_nobody_special_and_watches_itself() -> None:
    image = text("Dockerfile")
    assert image.index("USER porchlight") < image.index('CMD ["porchlight"')
    assert "HEALTHCHECK" in image
    assert "/readyz" in image
    assert "--require-hashes" in image
    assert not re.search(r"(?:SECRET|PASSWORD|KEY|TOKEN)=", image)


def test_secrets_reach_containers_as_files_only() -> None:
    compose = text("compose.yaml")
    named = set(re.findall(r"^\s+([A-Z_]+): ", compose, re.M))
    for name in named:
        base = name.removesuffix("_FILE")
        if base in {"SECRET_KEY", "DATABASE_URL", "POSTGRES_PASSWORD"}:
            assert name.endswith("_FILE"), name
        assert base in NAMES or name.startswith("POSTGRES_"), name
    files = re.findall(r"/run/secrets/(\w+)", compose)
    declared = re.findall(r"^\s+(\w+): \{file: secrets/\1\}", compose, re.M)
    assert set(files) == set(declared)
    assert "read_only: true" in compose
    assert "no-new-privileges" in compose


def test_locks_have_a_hash_for_each_pin_and_name_no_host() -> None:
    for path in sorted((ROOT / ".ci/locks").glob("*.txt")):
        lock = path.read_text(encoding="utf-8")
        assert not re.search(r"https?://|file://|--index|--find-links", lock), path.name
        pins = re.split(r"^(?=[a-z0-9])", lock, flags=re.M | re.I)[1:]
        assert pins, path.name
        assert all(re.match(r"\S+==\S+", pin) and "--hash=sha256:" in pin for pin in pins)


def test_every_dependency_is_in_the_lock() -> None:
    wanted = re.findall(
        r'^  "([a-z0-9-]+)', text("pyproject.toml").split("[project.scripts]")[0], re.M
    )
    locked = set(re.findall(r"^([a-z0-9-]+)==", text(".ci/locks/run.txt"), re.M))
    assert set(wanted) <= locked


def test_ci_lets_nothing_be_missing() -> None:
    run = text(".ci/run")
    assert "export CI=true" in run
    assert "make check" in run
    assert 'REQUIRED = os.environ.get("CI") == "true"' in text("tests/postgres.py")
    assert '[ "${CI:-}" != true ]' in text(".ci/browser")
