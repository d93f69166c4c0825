"""The form of one rule, made of the rule's own settings, with the conditions that it depends on."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from flask import Response, abort, flash, g, make_response, redirect, render_template, request
from pydantic import ValidationError
from werkzeug.datastructures import MultiDict

from portal import clock
from portal.models.change import Conflict
from portal.models.policy import PolicyVersion
from portal.sources.sentences import Invalid, sentences
from portal.staff import condition_form
from portal.staff.desk import bp
from portal.staff.policy_edit import (
    Changed,
    Rules,
    change_rules,
    found,
    new_id,
    place_of,
    usual_place,
)
from portal.staff.policy_sentences import (
    default_words,
    desk_reader,
    explained,
    sentence,
    title_of,
)
from portal.staff.rights import needs
from portal.staff.schema_form import form_of
from portal.staff.widget_groups import Record, add_row, placed
from portal.staff.widgets import Line, Problems, Typed
from returns.conditions import read as read_condition
from returns.errors import FieldProblem
from returns.rules import KINDS, READERS, settings_schema

NOTE: Final = Line(
    label="Note for colleagues", help="Customers never read it.", default="", most=1000
)
IN_RULE: Final = re.compile(r"rules\.\d+\.")


@dataclass
class RuleForm:
    """One visit to the form of a rule: what it is about, what was typed, what is wrong."""

    version: PolicyVersion
    kind: str
    rule_id: str  # "" for a new one
    typed: Typed = field(default_factory=MultiDict)
    problems: Problems = field(default_factory=dict)
    told: str = ""  # what was refused, above the form

    @property
    def currency(self) -> str:
        """Of the amounts in it."""
        return self.version.policy.currency or str(g.shop.currency)

    @property
    def record(self) -> Record:
        """The rule's own settings."""
        reader = desk_reader(self.version.policy, clock.now())
        return form_of(
            settings_schema(self.kind), self.currency, lambda code: default_words(code, reader)
        )

    @property
    def document(self) -> Mapping[str, Any] | None:
        """The rule as it stands, None for a new one or one that is gone."""
        rules = self.version.document["rules"]
        return next((rule for rule in rules if rule["id"] == self.rule_id), None)

    def fill(self) -> None:
        """Begin with the rule as it stands, or with what a new one begins with."""
        document = self.document or {}
        self.record.fill("", document, self.typed)
        condition_form.fill(document.get("when"), self.currency, self.typed)
        self.typed["note"] = document.get("note", "")
        self.typed["place"] = str(usual_place(self.version.policy, self.kind))

    def read(self) -> dict[str, Any] | None:
        """The rule that was typed, without its id; None where something is wrong with it."""
        settings = self.record.read("", self.typed, self.problems)
        kept = (self.document or {}).get("when")
        when = condition_form.read(self.typed, kept, self.currency, self.problems)
        note = NOTE.read("note", self.typed, self.problems)
        if self.problems:
            return None
        self._check(settings, when)
        if self.problems:
            return None
        rule = {"kind": self.kind, **settings}
        return rule | ({"when": when} if when else {}) | ({"note": note} if note else {})

    def _check(self, settings: dict[str, Any], when: dict[str, Any] | None) -> None:
        """Hold it against the rule itself. What was typed is written anew, so that places fit."""
        try:
            READERS[self.kind].validate_json(json.dumps(settings), strict=True)
        except ValidationError as error:
            self.record.fill("", settings, self.typed)
            found = {each["field"]: each["message"] for each in sentences(error)}
            self.problems |= placed(found, self.record.show("", self.typed, {}))
        wrong: list[FieldProblem] = []
        if when:
            read_condition(when, (condition_form.AT,), wrong)
        if wrong:
            self.problems[condition_form.AT] = " ".join(f"{each.message}." for each in wrong)


@bp.get("/policy/<int:version>/new")
@needs("policy")
def policy_kinds(version: int) -> Response:
    """Every kind of rule there is, to choose one to add."""
    text = render_template(
        "staff/policy_kinds.html",
        here="policy",
        version=found(version).version,
        kinds=[(kind, title_of(kind), explained(kind), KINDS[kind].example) for kind in KINDS],
    )
    return make_response(text)


@bp.get("/policy/<int:version>/new/<kind>")
@needs("policy")
def policy_rule_new(version: int, kind: str) -> Response:
    """The form of a new rule."""
    form = RuleForm(found(version), _known(kind), "")
    form.fill()
    return _shown(form)


@bp.post("/policy/<int:version>/new/<kind>")
@needs("policy")
def policy_rule_add(version: int, kind: str) -> Response:
    """Add a rule at its place."""
    return _taken(RuleForm(found(version), _known(kind), "", _typed()))


@bp.get("/policy/<int:version>/rules/<rule_id>")
@needs("policy")
def policy_rule(version: int, rule_id: str) -> Response:
    """The form of a rule as it stands."""
    form = RuleForm(found(version), "", rule_id)
    form.kind = (form.document or abort(404))["kind"]
    form.fill()
    return _shown(form)


@bp.post("/policy/<int:version>/rules/<rule_id>")
@needs("policy")
def policy_rule_change(version: int, rule_id: str) -> Response:
    """Change a rule. One that somebody removed meanwhile is put back by saving again."""
    form = RuleForm(found(version), _known(request.form.get("kind", "")), rule_id, _typed())
    return _taken(form)


def _typed() -> Typed:
    return MultiDict(request.form)


def _known(kind: str) -> str:
    return kind if kind in KINDS else abort(404)


def _taken(form: RuleForm) -> Response:
    act, _, at = form.typed.get("act", "save").partition(":")
    if act == "condition":
        condition_form.add(form.typed.get("new-fact", ""), form.currency, form.typed)
        return _shown(form)
    if act == "more":
        add_row(form.record, "", at, form.typed)
        return _shown(form)
    rule = form.read()
    if rule is None:
        return _shown(form, 422)
    return _saved(form, rule)


def _saved(form: RuleForm, rule: dict[str, Any]) -> Response:
    version, kept = form.version.version, list[str]()

    def change(rules: Rules) -> Rules:
        if form.rule_id and form.document is not None:
            rules[place_of(rules, form.rule_id)] = {"id": form.rule_id, **rule}
            kept.append(form.rule_id)
            return rules
        id = new_id(rules, form.kind)
        said = form.typed.get("place", "")
        place = int(said) if said.isascii() and said.isdigit() and len(said) < 6 else len(rules)
        kept.append(id)
        return [*rules[:place], {"id": id, **rule}, *rules[place:]]

    try:
        change_rules(version, change)
    except Changed as error:
        form.version = found(version)
        return _shown(form, 409, str(error))
    except Conflict as error:
        return _shown(form, 409, str(error))
    except Invalid as error:
        form.problems = {IN_RULE.sub("", e["field"], count=1): e["message"] for e in error.errors}
        return _shown(form, 422)
    flash("Saved.")
    return make_response(redirect(f"/staff/policy/{version}#rule-{kept[-1]}", 303))


def _shown(form: RuleForm, status: int = 200, told: str = "") -> Response:
    """The form with what was typed; what is wrong stands beside its field, the rest above."""
    boxes = form.record.show("", form.typed, form.problems)
    conditions = condition_form.show(form.typed, form.currency, form.problems)
    policy, now = form.version.policy, clock.now()
    reader = desk_reader(policy, now)
    said = [sentence(entry, reader) for entry in policy.rules]
    current = next((e for e in policy.rules if e.id == form.rule_id), None)
    text = render_template(
        "staff/policy_rule.html",
        here="policy",
        version=form.version.version,
        kind=form.kind,
        rule_id=form.rule_id,
        is_gone=bool(form.rule_id) and current is None,
        title=title_of(form.kind),
        explained=explained(form.kind),
        example=KINDS[form.kind].example,
        seen=form.version.hash,
        boxes=boxes.parts,
        note=NOTE.show("note", form.typed, form.problems),
        when=conditions,
        when_said=form.problems.get(condition_form.AT, ""),
        places=said,
        place=form.typed.get("place", ""),
        current=sentence(current, reader) if current else "",
        told=told,
        problems=form.problems,
        above=[form.problems[""]] if form.problems.get("") else [],
    )
    return make_response(text, status)
