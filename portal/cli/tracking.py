"""`porchlight track` and `porchlight sandbox`: ask the provider, or stand in for it."""

from __future__ import annotations

import signal
import sys
from contextlib import suppress

import click

from carriers.contract import CarrierError, Scan, Tracking
from carriers.detect import candidates
from carriers.easypost import EasyPost
from carriers.names import canonical, close_to
from portal import clock
from portal.cli.house import open_house
from portal.cli.shops import shop_named
from portal.config import Settings, read_settings
from portal.demo.place import with_demo_settings
from portal.demo.rehearsal import is_taken
from portal.sandbox import create_sandbox, running

KEY_MISSING = (
    "EASYPOST_API_KEY is not set, so nobody can be asked. Set it to a key of your EasyPost "
    "account, or run `porchlight sandbox` and point EASYPOST_API_BASE at it."
)

HOW_TO = """A stand-in for EasyPost and Stripe. Point Porchlight at it with these settings:

  EASYPOST_API_BASE=http://127.0.0.1:{port}/v2
  EASYPOST_API_KEY=EZTKsandbox
  STRIPE_API_BASE=http://127.0.0.1:{port}/stripe
  STRIPE_SECRET_KEY=sk_test_sandbox

EasyPost's test numbers EZ1000000001 to EZ7000000007 have scans; any other number stays unknown.
Stop with Ctrl-C."""


@click.command()
@click.argument("carrier")
@click.argument("number")
@click.option("--shop", "slug", default="", help="Ask with this shop's own key.")
def track(carrier: str, number: str, slug: str) -> None:
    """Ask CARRIER about the parcel NUMBER and print what it says. Stores nothing.

    CARRIER is a name such as UPS, or `auto` to let the provider find it by the number.
    """
    code = None if carrier == "auto" else _code_of(carrier, number)
    settings = read_settings(with_demo_settings())
    key = _key_of(slug, settings)
    if not key:
        raise click.ClickException(KEY_MISSING)
    try:
        found = EasyPost(key, settings.easypost_api_base).open_tracker(code, number)
    except (CarrierError, ValueError) as error:
        raise click.ClickException(str(error)) from error
    _say(found, number)


def _code_of(carrier: str, number: str) -> str:
    """The provider's name for the carrier. Raises ClickException with those that may be meant."""
    found = canonical(carrier)
    if found is not None:
        return found.code
    lines = [f"We know no carrier “{carrier}”."]
    near = ", ".join(one.name for one in close_to(carrier)[:3])
    if near:
        lines.append(f"Did you mean {near}?")
    fits = candidates(number)[:5]
    lines += [f"  {number} may be one of {one.name}: {one.reason}" for one in fits]
    lines.append("Give one of these names, or `auto` to let the provider find it by the number.")
    raise click.ClickException("\n".join(lines))


def _key_of(slug: str, settings: Settings) -> str:
    if not slug:
        return settings.easypost_api_key
    with open_house():
        return shop_named(slug).key("easypost_api_key") or settings.easypost_api_key


def _say(found: Tracking, number: str) -> None:
    detail = f" ({found.detail})" if found.detail else ""
    click.echo(f"{found.carrier or 'Unknown carrier'} {number}: {found.status}{detail}")
    if found.estimated_local_date or found.estimated_delivery:
        click.echo(f"Expected: {found.estimated_local_date or found.estimated_delivery}")
    for scan in found.scans:
        click.echo(_line_of(scan))
    if not found.scans:
        click.echo("No scans yet.")


def _line_of(scan: Scan) -> str:
    at = f"{scan.at:%Y-%m-%d %H:%M}Z"
    place = ", ".join(part for part in (scan.city, scan.region, scan.country) if part)
    said = " ".join(scan.message.split())
    return f"{at}  {scan.status:<20}  {said}{f'  [{place}]' if place else ''}"


@click.command()
@click.option("--port", default=8001, show_default=True, help="Where it listens, on this machine.")
def sandbox(port: int) -> None:
    """Stand in for EasyPost and Stripe on this machine, until stopped. It forgets all then."""
    settings = read_settings(with_demo_settings())
    if is_taken(port):
        raise click.ClickException(f"Port {port} is taken. Choose another: --port {port + 1}")
    app = create_sandbox(
        webhook_secret=settings.easypost_webhook_secret or None,
        stripe_webhook_secret=settings.stripe_webhook_secret or None,
        clock=clock.now,
    )
    with running(app, port=port) as box:
        click.echo(HOW_TO.format(port=box.port))
        _wait()


def _wait() -> None:
    """Stay until Ctrl-C or SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with suppress(KeyboardInterrupt):
        signal.pause()


commands = (track, sandbox)
