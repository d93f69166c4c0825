"""`porchlight audit`: whether the trail of who did what is as it was sealed."""

from __future__ import annotations

import click
from sqlalchemy import select

from portal.cli.house import open_house
from portal.db import inside, session
from portal.keys import has_key
from portal.models import Shop
from portal.models.chain import check

UNSIGNED = (
    "SECRET_KEY is not set, so the signature at each chain's end was not checked: whoever can "
    "write to the database could have made a whole chain anew. Run this again with the key."
)


@click.group()
def audit() -> None:
    """Check the trail of who did what."""


@audit.command()
def verify() -> None:
    """Check every shop's chain of sealed entries, and name the first that is broken.

    Ends with 1 where one is. The last seal of a chain that was noted down elsewhere proves later
    that nothing before it was changed, even to somebody who does not trust this house. Without
    SECRET_KEY everything is checked but the signature at each chain's end.
    """
    broken = 0
    with open_house():
        for shop_id, slug in session.execute(select(Shop.id, Shop.slug).order_by(Shop.id)).all():
            with inside(shop_id):
                found = check()
            state = f"BROKEN: {found.broken}" if found.broken else "ok"
            click.echo(
                f"{slug}  {found.sealed} sealed, {found.waiting} not yet sealed  "
                f"last seal {found.last_seal or '-'}  {state}"
            )
            broken += bool(found.broken)
        unsigned = not has_key()
    if unsigned:
        click.echo(UNSIGNED)
    if broken:
        raise click.ClickException(
            "The trail was changed behind Porchlight's back, or the database was damaged. Keep the "
            "database as it is, and compare it with a backup from before."
        )


commands = (audit,)
