"""Commands about shops and their tokens."""

from __future__ import annotations

import re
from difflib import get_close_matches
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import click
from sqlalchemy import select

from portal.cli.house import open_house
from portal.config import CHECKS
from portal.db import inside, session, writing
from portal.format import LOCALES
from portal.keys import settings
from portal.models import ApiToken, Shop
from portal.models.audit import record
from portal.models.token import SCOPES
from portal.sources.document import Country, Currency, Email, Posted
from portal.sources.sentences import Invalid, read_as
from themes import themes

SLUG = re.compile(r"^[a-z0-9][a-z0-9-]{0,38}$")


@click.group()
def shop() -> None:
    """Make and list shops."""


@shop.command()
@click.argument("slug")
@click.option("--name", default="", help="What customers read. Default: the slug.")
@click.option("--origin", default="", help="Where its pages live, such as https://track.fern.com.")
@click.option("--theme", default="fern", show_default=True)
@click.option("--locale", default="en", show_default=True)
@click.option("--timezone", default="UTC", show_default=True)
@click.option("--currency", default="USD", show_default=True)
@click.option("--country", default="US", show_default=True)
@click.option("--support-email", default="")
def create(slug: str, name: str, origin: str, **look: str) -> None:
    """Make the shop SLUG. The first one is the default shop."""
    if not SLUG.match(slug):
        raise click.ClickException("A slug is lower-case letters, digits and hyphens.")
    _check(look, origin)
    with open_house(), writing():
        if Shop.named(slug):
            raise click.ClickException(f"There is a shop {slug} already.")
        first = Shop.default() is None
        made = Shop(slug=slug, name=name or slug.title(), is_default=first, **look)
        made.moves_to(origin or (settings().base_url if first else origin_of(slug)))
        session.add(made)
        session.flush()
        click.echo(f"{slug}  {made.origin}")


class Look(Posted):
    """What a shop may be told at its making."""

    theme: str
    locale: str
    timezone: str
    currency: Currency
    country: Country
    support_email: Email


def _check(look: dict[str, str], origin: str) -> None:
    """Raise ClickException for what no page, date or amount could be made with."""
    wrong = []
    try:
        read_as(Look, look)
    except Invalid as error:
        wrong = [f"--{each['field']}: {each['message']}" for each in error.errors]
    choices = {"theme": themes(), "locale": LOCALES, "timezone": available_timezones()}
    for name, known in choices.items():
        if look[name] not in known:
            near = get_close_matches(look[name], known, n=3, cutoff=0.5) or sorted(known)[:5]
            wrong.append(f"--{name}: there is no {name} {look[name]}. Take {', '.join(near)}.")
    problem = CHECKS["base_url"](origin) if origin else ""
    wrong += [f"--origin {problem}"] if problem else []
    if wrong:
        raise click.ClickException("\n".join(wrong))


@shop.command(name="list")
def list_shops() -> None:
    """List the shops and where their pages live."""
    with open_house():
        for slug, name, origin in session.execute(
            select(Shop.slug, Shop.name, Shop.origin).order_by(Shop.id)
        ):
            click.echo(f"{slug}  {origin}  {name}")


def shop_named(slug: str) -> Shop:
    """The shop with this slug. Raises ClickException where there is none."""
    found = Shop.named(slug)
    if found is None:
        known = ", ".join(session.scalars(select(Shop.slug).order_by(Shop.slug).limit(10)))
        hint = f"There are: {known}." if known else "Make one: porchlight shop create SLUG"
        raise click.ClickException(f"There is no shop {slug}. {hint}")
    return found


def origin_of(slug: str) -> str:
    """Where a shop lives unless told otherwise: a name below the house's."""
    parts = urlsplit(settings().base_url)
    host = parts.hostname or "localhost"
    house = "localhost" if host.replace(".", "").isdigit() else host
    port = f":{parts.port}" if parts.port else ""
    return f"{parts.scheme}://{slug}.{house}{port}"


@click.group()
def token() -> None:
    """Make tokens of the machine API."""


@token.command(name="create")
@click.option("--shop", "slug", required=True)
@click.option("--scope", "scopes", multiple=True, required=True, help=f"{' '.join(SCOPES)} or *")
@click.option("--origin", "origins", multiple=True, help="For scope quote: who may embed it.")
@click.option("--name", default="")
def create_token(slug: str, scopes: tuple[str, ...], origins: tuple[str, ...], name: str) -> None:
    """Make a token and print it alone on the last line. It is not shown again."""
    wanted = [s for scope in scopes for s in scope.replace(",", " ").split()]
    unknown = sorted(set(wanted) - set(SCOPES) - {"*"})
    if unknown:
        raise click.ClickException(
            f"No such scope: {', '.join(unknown)}. Known: {' '.join(SCOPES)}"
        )
    with open_house(), inside(shop_named(slug).id), writing():
        made, secret = ApiToken.make(wanted, list(origins), name)
        session.add(made)
        record("operator", "token.created", f"token:{made.hint}", after={"scopes": wanted})
    click.echo(secret)


commands = (shop, token)
