"""`porchlight policy`: look at a returns policy before customers do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from portal import clock
from portal.cli.house import open_house
from portal.db import inside
from portal.format import money
from portal.models import Shop
from portal.models.policy import current_policy
from portal.models.rma_past import past_requests
from returns.cases import Case, boundary_cases, broken
from returns.lint import lint
from returns.policy import DocumentError, Policy
from returns.replay import Replayed, replay

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
MOST_SHOWN = 20


@click.group()
def policy() -> None:
    """Check a returns policy, or try it on past requests."""


@policy.command()
@click.argument("file", type=FILE)
@click.option("--cases", is_flag=True, help="Show a request on each side of every edge.")
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="Keep those cases.")
@click.option("--expect", type=FILE, help="Cases kept before, which must still end the same.")
def check(file: Path, cases: bool, save: Path | None, expect: Path | None) -> None:
    """Check the policy in FILE: rules that never speak, gaps, contradictions, unlawful promises.

    Ends with 1 where something must be mended before it can be published.
    """
    read = _read(file)
    findings = lint(read)
    for finding in findings:
        click.echo(f"{finding.level}: {finding.message}")
    found = boundary_cases(read) if cases or save else []
    for case in found if cases else ():
        click.echo(f"{case.outcome.value:8} {case.name} ({case.because})")
    if save:
        kept = json.dumps([case.to_json() for case in found], indent=1, ensure_ascii=False)
        save.write_text(kept + "\n", encoding="utf-8")
        click.echo(f"{len(found)} cases kept in {save}.")
    ended = broken(read, _cases(expect)) if expect else []
    for case, now in ended:
        click.echo(f"error: {case.name} ends as {now.outcome.value}, not as {case.outcome.value}.")
    errors = sum(finding.level == "error" for finding in findings) + len(ended)
    if errors:
        raise click.ClickException(f"{errors} to mend before this policy can be published.")
    click.echo(f"Version {read.version}, {len(read.rules)} rules: fit to be published.")


@policy.command(name="replay")
@click.argument("file", type=FILE)
@click.option("--shop", "slug", required=True)
def replay_file(file: Path, slug: str) -> None:
    """Try the policy in FILE on the shop's past requests: what it would have decided, and moved.

    Customers act on the rules they see, so this says nothing of requests that were never made.
    """
    draft = _read(file)
    with open_house():
        shop = Shop.named(slug)
        if shop is None:
            raise click.ClickException(f"There is no shop {slug}. See: porchlight shop list")
        with inside(shop.id):
            report = replay(current_policy(clock.now()), draft, past_requests())
    for line in _told(report):
        click.echo(line)


def _told(report: Replayed) -> list[str]:
    lines = [
        f"{report.requests} past requests, {report.changed} would change, "
        f"of {len(report.customers)} customers."
    ]
    lines += [f"  {old} to {new}: {count}" for (old, new), count in sorted(report.outcomes.items())]
    for currency, moved in report.moved().items():
        for name, minor in moved.items():
            if minor:
                lines.append(f"  {name}: {_money(minor, currency)}")
    for change in report.changes[:MOST_SHOWN]:
        old, new = change.outcomes
        lines.append(f"  {change.request.id}  {old} to {new}  {change.after.because}")
    return lines


def _money(minor: int, currency: str) -> str:
    """An amount with its sign, for the operator."""
    return money(minor, currency, "en") if currency else str(minor)


def _read(file: Path) -> Policy:
    try:
        return Policy.from_json(_json(file))
    except DocumentError as error:
        told = "\n".join(f"{each.field or 'the file'}: {each.message}" for each in error.problems)
        raise click.ClickException(told) from error


def _cases(file: Path) -> list[Case]:
    found = _json(file)
    if not isinstance(found, list):
        raise click.ClickException(f"{file} holds no list of cases.")
    try:
        return [Case.from_json(each) for each in found]
    except DocumentError as error:
        raise click.ClickException(str(error)) from error


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise click.ClickException(f"{file} is not JSON: {error}") from error


commands = (policy,)
