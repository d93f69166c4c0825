"""`porchlight doctor`: what is right with the house, what is not, and what to do."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import click

from portal import clock
from portal.cli import check_house, check_providers, check_work
from portal.cli.findings import Finding
from portal.cli.house import open_house
from portal.config import SettingsError
from portal.db import every_shop
from portal.keys import settings
from portal.models import Shop


@click.command()
@click.option("--offline", is_flag=True, help="Ask no provider.")
def doctor(offline: bool) -> None:
    """Check settings, database, queue, worker, providers and clock, and say what to do.

    Ends with 1 where something FAILs. Never prints a key.
    """
    failed = 0
    for finding in _findings(offline=offline):
        click.echo(str(finding))
        failed += finding.level == "FAIL"
    sys.exit(1 if failed else 0)


def _findings(*, offline: bool) -> Iterator[Finding]:
    yield from check_house.of_settings()
    try:
        with open_house():
            database = list(check_house.of_database())
            yield from database
            fine = all(finding.level != "FAIL" for finding in database)
            if fine:
                yield from _of_house()
            if not offline:
                yield from _of_providers(check_providers.shops_by_id() if fine else [])
    except SettingsError:
        return  # said above


def _of_house() -> Iterator[Finding]:
    now = clock.now()
    with every_shop():
        yield from check_house.of_shops()
        yield from check_work.of_work(now)
        yield from check_work.of_parcels()
        yield from check_work.of_money(now)
        yield from check_work.of_hooks(now)
        yield from check_work.of_messages(now)


def _of_providers(shops: list[Shop]) -> Iterator[Finding]:
    yield from check_providers.of_easypost(shops)
    yield from check_providers.of_mail(settings())
    yield from check_providers.of_others(settings())


commands = (doctor,)
