"""`porchlight arrivals`: what a shop promises, and what its own parcels teach."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
from sqlalchemy import select

from carriers.workdays import Place
from portal import clock
from portal.cli.house import open_house
from portal.cli.shops import shop_named
from portal.db import inside, session, writing
from portal.jobs.lanes import rebuild
from portal.models import Shop
from portal.models.arrival_terms import SETTING, ArrivalTerms, promise_in
from portal.models.audit import record
from portal.sources.sentences import Invalid, read_as

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
KEPT = "Nothing was changed."


@click.group()
def arrivals() -> None:
    """Arrival windows of a shop: its promise, its lanes."""


@arrivals.command(name="set")
@click.argument("file", type=FILE)
@click.option("--shop", "slug", required=True)
def put(file: Path, slug: str) -> None:
    """Put the promise of FILE (JSON) in force; {} takes it back. docs/arrival.md says its fields.

    It counts for orders that come in from now on, and for parcels as they are looked at next.
    """
    told = _terms(file)
    with open_house():
        shop_id = shop_named(slug).id
        with inside(shop_id), writing():
            shop = session.get_one(Shop, shop_id)
            before = shop.settings.get(SETTING)
            shop.settings = {**shop.settings, SETTING: told}
            record(
                "operator",
                "shop.arrival",
                f"shop:{slug}",
                before={SETTING: before or {}},
                after={SETTING: told},
            )
        with inside(shop_id):
            click.echo(_example(session.get_one(Shop, shop_id)))


@arrivals.command()
@click.option("--shop", "slug", help="Only this shop. Default: all.")
def learn(slug: str | None) -> None:
    """Take in all finished parcels again and learn from them now, as the worker does once a day."""
    with open_house():
        shops = [shop_named(slug)] if slug else session.scalars(select(Shop).order_by(Shop.id))
        for shop_id, name in [(shop.id, shop.slug) for shop in shops]:
            with inside(shop_id):
                click.echo(f"{name}: {rebuild(shop_id)} finished parcels")


def _terms(file: Path) -> dict[str, Any]:
    """The setting in a file, checked. Raises ClickException with a sentence for each mistake."""
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        read_as(ArrivalTerms, told)
    except (OSError, ValueError, RecursionError) as error:
        raise click.ClickException(f"{file} is no JSON that can be read. {KEPT}") from error
    except Invalid as error:
        wrong = [f"{each['field'] or file}: {each['message']}" for each in error.errors]
        raise click.ClickException("\n".join([*wrong, KEPT])) from error
    return dict(told)


def _example(shop: Shop) -> str:
    """What an order placed now would be promised, so that a slip is seen at once."""
    promise = promise_in(shop.settings, shop.country, shop.timezone)
    if promise is None:
        return f"{shop.slug} promises nothing now."
    now = clock.now()
    window = promise.window(now, None, Place(shop.country))
    if window is None:
        return f"{shop.slug} promises nothing for {shop.country}: no transit rule is meant for it."
    return (
        f"An order placed now leaves {promise.handed_over(now):%Y-%m-%d} and arrives in "
        f"{shop.country} from {window.first:%Y-%m-%d} to {window.last:%Y-%m-%d}."
    )


commands = (arrivals,)
