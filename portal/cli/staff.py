"""Commands about the people who work here."""

from __future__ import annotations

import click
from email_validator import EmailNotValidError, validate_email

from portal import clock
from portal.cli.house import open_house
from portal.cli.shops import shop_named
from portal.db import inside, session, writing
from portal.models.audit import record
from portal.models.staff import INVITED_FOR, ROLES, Staff


@click.group()
def staff() -> None:
    """Invite the people who work here."""


@staff.command()
@click.argument("email")
@click.option("--shop", "slug", required=True)
@click.option("--role", type=click.Choice(ROLES), required=True)
def invite(email: str, slug: str, role: str) -> None:
    """Invite EMAIL and print the link alone on the last line. It is not shown again."""
    try:
        address = validate_email(email, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise click.ClickException(f"{email} is no e-mail address: {error}") from error
    with open_house():
        shop = shop_named(slug)
        origin = shop.origin
        with inside(shop.id), writing():
            person, token = Staff.invite(address.normalized, role, clock.now())
            session.flush()
            record("operator", "staff.invited", f"staff:{person.id}", after={"role": role})
    click.echo(f"The invitation holds for {INVITED_FOR.days} days and works once:")
    click.echo(f"{origin}/staff/invitation/{token}")


commands = (staff,)
