"""`porchlight reconcile`: every difference between our ledger and the payment provider's."""

from __future__ import annotations

import click
from sqlalchemy import select

from portal import clock
from portal.cli.house import open_house
from portal.cli.shops import shop_named
from portal.db import inside, session, writing
from portal.jobs import nudge
from portal.jobs.reconcile import compare, note
from portal.models import Shop
from portal.payments.contract import PaymentError


@click.command()
@click.option("--shop", "slug", help="Only this shop. Default: all.")
def reconcile(slug: str | None) -> None:
    """Compare the ledger with the provider's and name every difference.

    Moves no money. What has an unknown outcome is given to the worker, which looks it up. Ends
    with 1 where something differs, or could not be compared.
    """
    count = 0
    with open_house():
        shops = [shop_named(slug)] if slug else session.scalars(select(Shop).order_by(Shop.id))
        for shop_id, name in [(shop.id, shop.slug) for shop in shops]:
            with inside(shop_id):
                found = _compare(shop_id, name)
                with writing():
                    note(shop_id, found, clock.now())
            count += found
        nudge("settle")
        nudge("label")
    if count:
        raise click.ClickException(
            f"{count} to look at. What the provider has is what happened: correct the order's "
            "payment, or settle the return by hand."
        )
    click.echo("Our ledger and the provider's are the same.")


def _compare(shop_id: int, name: str) -> int:
    count = 0
    try:
        for difference in compare(shop_id):
            click.echo(f"{name}: {difference}")
            count += 1
    except (PaymentError, ValueError) as error:
        click.echo(f"{name}: could not be compared. {error}")
        count += 1
    return count


commands = (reconcile,)
