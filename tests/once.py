"""What each app works out anew and no app changes, worked out once for all tests of a process.

The compiled forms of routes, templates and statements: half of a short test's time without this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Dialect, Engine
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

from portal.db import db

_compile_builder = Rule._compile_builder
_builders: dict[Any, Any] = {}
_dialects: dict[str, Dialect] = {}
_statements: LRUCache[Any, Any] = LRUCache(8000)


class Templates(BytecodeCache):
    """Compiled templates by name and content."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give what was compiled, if the source is still the same."""
        if bucket.key in self.kept:
            bucket.bytecode_from_string(self.kept[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self.kept[bucket.key] = bucket.bytecode_to_string()


def _builder(rule: Rule, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
    defaults = repr(sorted((rule.defaults or {}).items()))
    key = (rule.rule, tuple(rule._trace), defaults, append_unknown)
    if key not in _builders:
        _builders[key] = _compile_builder(rule, append_unknown)
    found: Callable[..., tuple[str, str]] = _builders[key]
    return found


def keep_routes_and_templates() -> None:
    """Compile each rule and template once in this process."""
    Rule._compile_builder = _builder  # type: ignore[method-assign]
    Flask.jinja_options = {"bytecode_cache": Templates()}


def share_statements(app: Flask) -> None:
    """Let the app's engine use what earlier engines of its kind have compiled."""
    with app.app_context():
        engine: Engine = db.engine
        kept = _dialects.get(engine.dialect.name)
        if kept is None or kept.server_version_info is None:  # type: ignore[attr-defined]
            _dialects[engine.dialect.name] = engine.dialect
        else:
            engine.dialect = engine.pool._dialect = kept
        engine._compiled_cache = _statements
