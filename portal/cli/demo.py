"""`porchlight demo`: everything at once on one machine, for a look around."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from sqlalchemy import inspect

from portal import clock, create_app
from portal.config import read_settings
from portal.db import db, session, writing
from portal.demo import rehearsal as stage
from portal.demo.claims import fill_claims
from portal.demo.desk import door, fill_desk, invite
from portal.demo.lanes import fill_lanes
from portal.demo.past import fill_past
from portal.demo.payments import hook_up_stripe, register_payments
from portal.demo.place import with_demo_settings
from portal.demo.seeds import fill, orders_shown, origin, register_again
from portal.demo.tales import BRANDS
from portal.migrations import downgrade, upgrade
from portal.models import Shop
from portal.sandbox import create_sandbox, running

STOP_SECONDS = 10
LOOK_SECONDS = 0.5  # between two looks whether everything still runs
LABELS_MOVE = {"kind": "on_time", "days": 3, "seconds": 240}  # a way back takes four minutes
# Every parcel of the rehearsal is insured, and its insurer pays within a minute.
INSURED = {"amount": "1000.00", "decides_after": 40}
SHOWN = 4  # pages printed of each brand


@click.command()
@click.option(
    "--port",
    default=8000,
    show_default=True,
    type=click.IntRange(1, 65535),
    help="Where to serve.",
)
@click.option("--fresh", is_flag=True, help="Begin anew; only what a demo made is wiped.")
@click.option("--live", is_flag=True, help="Allow live provider keys.")
def demo(port: int, fresh: bool, live: bool) -> None:
    """Run the demo: two brands, parcels in every state, one moving now."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        if stage.is_taken(port):
            raise stage.Refused(
                f"Port {port} is taken. Choose another: --port {port % 65000 + 100}"
            )
        stage.live_keys(read_settings(os.environ), live=live)  # before anything is wiped
        if fresh:
            _begin_anew()
        rehearsal = stage.prepare(port, os.environ, live=live)
    except stage.Refused as error:
        raise click.ClickException(str(error)) from error
    os.environ.update(rehearsal.environ)
    with _sandbox(rehearsal):
        _furnish(rehearsal)
        with _processes(port, rehearsal.home / stage.LOG) as started:
            _say(rehearsal)
            _stay(started)


def _begin_anew() -> None:
    """Wipe what an earlier demo made. Raises Refused for a database that was there before."""
    settings = read_settings(with_demo_settings())
    if settings.is_sqlite and not settings.sqlite_path.exists():
        stage.wipe(settings)
        return
    with create_app(settings).app_context():
        there = inspect(db.engine).has_table("shop")
        if there and not stage.is_made(settings):
            raise stage.Refused(
                "The database of DATABASE_URL was not made by a demo, so it is not wiped. "
                "Leave out --fresh, or name another DATABASE_URL."
            )
        if there and not settings.is_sqlite:
            downgrade("base")
        db.engine.dispose()
    stage.wipe(settings)


@contextmanager
def _sandbox(rehearsal: stage.Rehearsal) -> Iterator[None]:
    """The stand-in for the providers that are not given."""
    if rehearsal.sandbox_port is None:
        yield
        return
    settings = rehearsal.settings
    app = create_sandbox(
        api_key=settings.easypost_api_key,
        webhook_secret=settings.easypost_webhook_secret,
        stripe_key=settings.stripe_secret_key,
        stripe_webhook_secret=settings.stripe_webhook_secret,
        clock=clock.now,
    )
    with running(app, port=rehearsal.sandbox_port):
        yield


def _furnish(rehearsal: stage.Rehearsal) -> None:
    """Schema, brands and orders; on a later start only what the stand-in forgot."""
    app = create_app(rehearsal.settings, as_demo=True)
    with app.app_context():
        upgrade()
        if Shop.default() is None:
            stage.note_made(rehearsal)
            fill(rehearsal.sandbox, clock.now())
            fill_desk(rehearsal.sandbox, clock.now())
            fill_claims(rehearsal.sandbox, clock.now())
            fill_lanes(clock.now())
            fill_past(clock.now())
        else:
            _move_in()
            if rehearsal.sandbox:
                register_again(rehearsal.sandbox)
            register_payments()
        for brand in BRANDS if rehearsal.sandbox else ():
            _hook_up(rehearsal, brand.slug)
        for brand in BRANDS:
            hook_up_stripe(rehearsal.settings, rehearsal.port, brand.slug)
        if rehearsal.sandbox:
            stage.tell_sandbox(rehearsal.sandbox, "/_sandbox/label-story", LABELS_MOVE, verb="PUT")
            stage.tell_sandbox(rehearsal.sandbox, "/_sandbox/insured", INSURED, verb="PUT")
        invite(clock.now())
        session.remove()
        db.engine.dispose()


def _move_in() -> None:
    """The port may be another one today: the demo's brands move with it."""
    with writing():
        for brand in BRANDS:
            shop = Shop.named(brand.slug)
            if shop is not None:
                shop.moves_to(origin(brand.slug))


def _hook_up(rehearsal: stage.Rehearsal, slug: str) -> None:
    """Register the brand's webhook at the stand-in, as the operator would at EasyPost."""
    settings = rehearsal.settings
    hook = {
        "url": f"http://127.0.0.1:{rehearsal.port}/hooks/easypost/{slug}",
        "webhook_secret": settings.easypost_webhook_secret,
    }
    root = rehearsal.sandbox or ""
    stage.tell_sandbox(root, "/v2/webhooks", {"webhook": hook}, settings.easypost_api_key)


@contextmanager
def _processes(port: int, log: Path) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Web and worker, each a process of its own; both end with this one."""
    commands = (
        [sys.executable, "-m", "portal.demo.web", str(port)],
        [sys.executable, "-m", "portal.cli", "worker"],
    )
    with log.open("wb") as lines:
        started = [
            subprocess.Popen(command, stdout=lines, stderr=lines)  # noqa: S603 - our own modules
            for command in commands
        ]
    try:
        _until_it_answers(port, started)
        yield started
        raise click.ClickException(f"A part of the demo has ended. Its last words: {_last(log)}")
    finally:
        for process in started:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in started:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()


def _until_it_answers(port: int, started: list[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + 60
    while not stage.is_taken(port):
        if any(process.poll() is not None for process in started):
            return
        if time.monotonic() > deadline:
            raise click.ClickException("The site did not start within a minute.")
        time.sleep(0.1)


def _say(rehearsal: stage.Rehearsal) -> None:
    """Print what to open."""
    base = rehearsal.settings.base_url
    click.echo(f"\nPorchlight is open: {base}/demo shows everything there is.\n")
    with create_app(rehearsal.settings, as_demo=True).app_context():
        for shop, pages in orders_shown():
            click.echo(f"  {shop.name}   look-up: {shop.origin}/")
            for tale, page in pages[:SHOWN]:
                click.echo(f"    {tale.number:<9} {tale.shows:<30} {page}")
            click.echo(f"    and {len(pages) - SHOWN} more on the demo page")
            click.echo(f"    staff desk: {door(shop.slug, clock.now())}\n")
        session.remove()
        db.engine.dispose()
    first = BRANDS[0]
    click.echo(f"  Find an order yourself: number {first.tales[0].number}, e-mail {first.email}")
    click.echo(f"  Messages that were sent: {base}/demo/outbox")
    if rehearsal.sandbox:
        click.echo(f"  A parcel that moves within a minute: the button on {base}/demo")
    click.echo(f"  What the site and its worker say: {rehearsal.home / stage.LOG}")
    click.echo("\nStop with Ctrl-C.\n")


def _stay(started: list[subprocess.Popen[bytes]]) -> None:
    """Stay until told to stop, or until a part has ended by itself."""
    try:
        while all(process.poll() is None for process in started):
            time.sleep(LOOK_SECONDS)
    except KeyboardInterrupt:
        click.echo("\nStopping …")
        sys.exit(0)


def _last(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return f"{lines[-1] if lines else 'none'} (all of them: {log})"


commands = (demo,)
