"""`porchlight erase`: forget a customer, as the law lets people ask."""

from __future__ import annotations

import click

from portal import clock, label_files, pictures
from portal.cli.house import open_house
from portal.cli.shops import shop_named
from portal.db import inside, sweep_up, writing
from portal.models.erasure import erase as forget
from portal.models.erasure import held_of


@click.command()
@click.argument("customer_email")
@click.option("--shop", "slug", required=True, help="The slug of the shop that forgets.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(customer_email: str, slug: str, yes: bool) -> None:
    """Forget the customer with this e-mail address: for good, and only in this shop.

    Orders keep number, lines, amounts, dates and country, so that sums stay right. Backups made
    before still know the person: let them run out, and erase again after restoring one.
    """
    with open_house():
        shop_id = shop_named(slug).id
        with inside(shop_id):
            held = held_of(customer_email)
        if held.is_nothing:
            click.echo("This shop holds nothing under this address.")
            return
        if not yes:
            click.confirm(
                f"Forget the person behind {len(held.order_ids)} orders and "
                f"{len(held.message_ids)} messages of {slug}? This cannot be undone.",
                abort=True,
            )
        with inside(shop_id), writing():
            held = forget(customer_email, clock.now())
        for photo_id in held.files.photo_ids:
            pictures.path_of(shop_id, photo_id).unlink(missing_ok=True)
        for label_id in held.files.label_ids:
            label_files.forget(shop_id, label_id)
        is_swept = sweep_up()
    click.echo(f"Forgotten: {len(held.order_ids)} orders name nobody any more.")
    if not is_swept:
        click.echo(
            "The database file still holds the old pages, because somebody is reading it. They go "
            "with the next checkpoint; to be sure now, run the command again."
        )


commands = (erase,)
