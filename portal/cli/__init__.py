"""`porchlight`: the operator's commands."""

from __future__ import annotations

import sys

import click

from portal.cli import serve, shops
from portal.config import SettingsError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="porchlight")
def porchlight() -> None:
    """Order tracking and returns in your own house."""


for command in (*serve.commands, *shops.commands):
    porchlight.add_command(command)


def main() -> None:
    """Run a command; a wrong setting ends it with its name and the remedy, without a trace."""
    try:
        porchlight()
    except SettingsError as error:
        for line in error.problems:
            click.echo(f"porchlight: {line}", err=True)
        sys.exit(2)
