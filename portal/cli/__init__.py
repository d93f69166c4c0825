"""`porchlight`: the operator's commands, found by walking this folder: `commands` of each file."""

from __future__ import annotations

import pkgutil
from importlib import import_module
from typing import Any

import click
from sqlalchemy.exc import OperationalError, ProgrammingError

from portal.config import SettingsError
from portal.keys import Unsealable
from portal.turns import WAIT_SECONDS, Busy


class Stopped(click.ClickException):
    """A command that cannot go on because of the house's settings or its database."""

    exit_code = 2

    def show(self, file: Any = None) -> None:
        """Each thing that is wrong on a line of its own."""
        for line in self.message.splitlines():
            click.echo(f"porchlight: {line}", err=True)


class House(click.Group):
    """The commands; what is wrong with the house ends them with its name and the remedy."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command, without a trace of what an operator can put right."""
        try:
            return super().invoke(ctx)
        except SettingsError as error:
            raise Stopped(str(error)) from error
        except Busy as error:
            raise Stopped(
                f"The database stayed locked for {WAIT_SECONDS:.0f} seconds, so this step changed "
                "nothing. Run the command again; if it stays so, stop what is writing."
            ) from error
        except Unsealable as error:
            raise Stopped(
                f"{error} Put the key it was made with into SECRET_KEY or SECRET_KEY_FALLBACKS."
            ) from error
        except (OperationalError, ProgrammingError) as error:
            raise Stopped(_of_database(error)) from error


def _of_database(error: OperationalError | ProgrammingError) -> str:
    said = str(error.orig).splitlines()[0]
    if "no such table" in said or "no such column" in said or "does not exist" in said:
        return f"The database is not at this version's schema ({said}). Run: porchlight migrate"
    return f"The database does not answer ({said}). Check DATABASE_URL, then: porchlight doctor"


@click.group(cls=House, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="porchlight")
def porchlight() -> None:
    """Order tracking and returns in your own house."""


for found in pkgutil.iter_modules(__path__):
    if found.name != "__main__":
        for command in getattr(import_module(f"{__name__}.{found.name}"), "commands", ()):
            porchlight.add_command(command)


def main() -> None:
    """Run a command."""
    porchlight()
