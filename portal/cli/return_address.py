"""`porchlight return-address`: where a shop's returns go, which labels are bought for."""

from __future__ import annotations

import click

from portal.cli.house import open_house
from portal.cli.shops import shop_named
from portal.db import inside, session, writing
from portal.models import Shop
from portal.models.audit import record
from portal.models.way_back import NEEDED


@click.command(name="return-address")
@click.option("--shop", "slug", required=True)
@click.option("--name", required=True, help="Who takes parcels in.")
@click.option("--line1", required=True)
@click.option("--line2", default="")
@click.option("--city", required=True)
@click.option("--region", default="")
@click.option("--postcode", default="")
@click.option("--country", required=True, help="Two letters, such as DE.")
@click.option("--phone", default="")
@click.option("--carrier", "carriers", multiple=True, help="Only these carriers. Default: any.")
def return_address(slug: str, carriers: tuple[str, ...], **address: str) -> None:
    """Set where a shop's returns go. Labels that failed for want of it can be tried again."""
    told = {name: value.strip() for name, value in address.items()}
    told["country"] = told["country"].upper()
    missing = [f"--{name}" for name in NEEDED if not told[name]]
    if missing or len(told["country"]) != 2:
        raise click.ClickException(
            f"{' '.join(missing) or '--country'} cannot be used like this. Nothing was changed."
        )
    with open_house():
        shop_id = shop_named(slug).id
        with inside(shop_id), writing():
            shop = session.get_one(Shop, shop_id)
            shop.settings = {
                **shop.settings,
                "return_address": told,
                "return_carriers": list(carriers),
            }
            record("operator", "shop.return_address", f"shop:{slug}", after={"city": told["city"]})
    click.echo(f"Returns to {slug} go to {told['name']}, {told['city']}.")


commands = (return_address,)
