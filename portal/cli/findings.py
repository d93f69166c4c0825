"""What `porchlight doctor` finds: one line each, with what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Level = Literal["ok", "warn", "FAIL"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: how it stands with `about`, and the remedy where there is one."""

    level: Level
    about: str
    text: str
    remedy: str = ""

    def __str__(self) -> str:
        """The line as it is printed, without control characters that stored texts may hold."""
        line = f"{self.level:<5} {self.about:<10} {self.text}"
        line += f"\n      {'':<10} → {self.remedy}" if self.remedy else ""
        return "".join(sign if sign.isprintable() or sign == "\n" else "·" for sign in line)


def ok(about: str, text: str) -> Finding:
    """All is well."""
    return Finding("ok", about, text)


def warn(about: str, text: str, remedy: str) -> Finding:
    """The house runs, and something is lost or late."""
    return Finding("warn", about, text, remedy)


def fail(about: str, text: str, remedy: str) -> Finding:
    """The house does not do its work."""
    return Finding("FAIL", about, text, remedy)
