"""`porchlight demo`: everything at once on one machine, for a look around."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click

from portal import clock, create_app
from portal.config import Settings
from portal.db import session, writing
from portal.demo import rehearsal as stage
from portal.demo.seeds import fill, orders_shown, origin, register_again
from portal.demo.tales import BRANDS
from portal.migrations import upgrade
from portal.models import Shop
from portal.sandbox import create_sandbox, running

STOP_SECONDS = 10


@click.command()
@click.option("--port", default=8000, show_default=True, help="Where to serve.")
@click.option("--fresh", is_flag=True, help="Begin anew; only what a demo made is wiped.")
@click.option("--live", is_flag=True, help="Allow live provider keys.")
def demo(port: int, fresh: bool, live: bool) -> None:
    """Run the demo: two brands, parcels in every state, one moving now."""
    try:
        if stage.is_taken(port):
            raise stage.Refused(f"Port {port} is taken. Choose another: --port {port + 100}")
        if fresh:
            stage.wipe(os.environ)
        rehearsal = stage.prepare(port, os.environ, live=live)
    except stage.Refused as error:
        raise click.ClickException(str(error)) from error
    os.environ.update(rehearsal.environ)
    with _sandbox(rehearsal):
        _furnish(rehearsal)
        with _processes(port):
            _say(rehearsal.settings)
            _wait()


@contextmanager
def _sandbox(rehearsal: stage.Rehearsal) -> Iterator[None]:
    """The stand-in for EasyPost, unless a base was given."""
    if rehearsal.sandbox_port is None:
        yield
        return
    settings = rehearsal.settings
    app = create_sandbox(
        api_key=settings.easypost_api_key,
        webhook_secret=settings.easypost_webhook_secret,
        clock=clock.now,
    )
    with running(app, port=rehearsal.sandbox_port):
        yield


def _furnish(rehearsal: stage.Rehearsal) -> None:
    """Schema, brands and orders; on a later start only what the stand-in forgot."""
    sandbox = rehearsal.sandbox if rehearsal.sandbox_port else None
    app = create_app(rehearsal.settings, as_demo=True)
    with app.app_context():
        upgrade()
        if Shop.default() is None:
            stage.note_made(rehearsal)
            fill(sandbox, clock.now())
        elif sandbox:
            _move_in(rehearsal)
            register_again(sandbox)
        for brand in BRANDS if sandbox else ():
            _hook_up(sandbox or "", rehearsal, brand.slug)
        session.remove()


def _move_in(rehearsal: stage.Rehearsal) -> None:
    """The port may be another one today: the demo's brands move with it."""
    with writing():
        for brand in BRANDS:
            shop = Shop.named(brand.slug)
            if shop is not None:
                shop.moves_to(origin(brand.slug))


def _hook_up(sandbox: str, rehearsal: stage.Rehearsal, slug: str) -> None:
    """Register the brand's webhook at the stand-in, as the operator would at EasyPost."""
    port = rehearsal.settings.base_url.rsplit(":", 1)[-1]
    key = rehearsal.settings.easypost_api_key
    url = f"http://127.0.0.1:{port}/hooks/easypost/{slug}"
    secret = rehearsal.settings.easypost_webhook_secret
    stage.tell_sandbox(
        sandbox, "/v2/webhooks", {"webhook": {"url": url, "webhook_secret": secret}}, key
    )


@contextmanager
def _processes(port: int) -> Iterator[None]:
    """Web and worker, each a process of its own; both end with this one."""
    commands = (
        [sys.executable, "-m", "portal.demo.web", str(port)],
        [sys.executable, "-m", "portal.cli", "worker"],
    )
    started = [subprocess.Popen(command) for command in commands]  # noqa: S603 - our own modules
    try:
        _until_it_answers(port, started)
        yield
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
            raise click.ClickException("A part of the demo ended; its message stands above.")
        if time.monotonic() > deadline:
            raise click.ClickException("The site did not start within a minute.")
        time.sleep(0.1)


def _say(settings: Settings) -> None:
    """Print what to open."""
    base = settings.base_url
    click.echo(f"\nPorchlight is open: {base}/demo shows everything there is.\n")
    with create_app(settings, as_demo=True).app_context():
        for shop, pages in orders_shown():
            click.echo(f"  {shop.name}   look-up: {shop.origin}/")
            for tale, page in pages[:4]:
                click.echo(f"    {tale.number:<9} {tale.shows:<34} {page}")
        session.remove()
    first = BRANDS[0]
    click.echo(f"\n  Find an order yourself: number {first.tales[0].number}, e-mail {first.email}")
    click.echo(f"  Messages that were sent: {base}/demo/outbox")
    click.echo("  A parcel that moves within a minute: the button on the demo page")
    click.echo("\nStop with Ctrl-C.\n")


def _wait() -> None:
    """Stay until told to stop."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        signal.pause()
    except KeyboardInterrupt:
        click.echo("\nStopping …")


commands = (demo,)
