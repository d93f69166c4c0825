"""Every route of the site, with a path that matches it: for rules that hold on all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from flask import Flask
from werkzeug.routing import Rule

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
TOKEN = "a" * 24


class Route(NamedTuple):
    """One method of one route."""

    endpoint: str
    method: str
    path: str

    @property
    def blueprint(self) -> str:
        """The part of the site it belongs to."""
        return self.endpoint.rpartition(".")[0]


def routes(app: Flask) -> list[Route]:
    """All of them, HEAD and OPTIONS included."""
    return sorted(_routes(app))


def unsafe_routes(app: Flask) -> list[Route]:
    """Those that change something and are not asked by machines."""
    exempt = app.config["CSRF_EXEMPT"]
    return [
        route
        for route in routes(app)
        if route.method not in SAFE and route.blueprint.split(".")[0] not in exempt
    ]


def _routes(app: Flask) -> Iterator[Route]:
    for rule in app.url_map.iter_rules():
        for method in rule.methods or ():
            yield Route(rule.endpoint, method, path_of(rule))


def path_of(rule: Rule) -> str:
    """A path that the rule matches; what it names does not exist."""
    values = {name: _value(rule, name) for name in rule.arguments}
    built = rule.build(values, append_unknown=False)
    assert built is not None, rule
    return built[1]


def _value(rule: Rule, name: str) -> object:
    kind = type(rule._converters[name]).__name__
    if kind == "IntegerConverter":
        return 987_654_321
    return "live.js" if rule.endpoint == "static" else TOKEN
