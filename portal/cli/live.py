"""`porchlight live`: a process for the streams of many open pages."""

from __future__ import annotations

from importlib import import_module

import click

from portal.cli.serve import app_for_serving, refuse_plain_http


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=8002, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--most",
    default=20_000,
    show_default=True,
    type=click.IntRange(1, 1_000_000),
    help="Pages that are told of news at a time; others ask every twenty seconds.",
)
def live(host: str, port: int, most: int) -> None:
    """Tell open pages of news, thousands of them. Let the proxy send /events/ here."""
    app = app_for_serving()
    refuse_plain_http(app, host)
    click.echo("Open pages are told of news here.", err=True)
    # No other command needs gevent, which takes 15 MB and a fifth of a second.
    import_module("portal.live.server").serve_streams(app, host, port, most)


commands = (live,)
