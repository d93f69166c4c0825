"""What is wrong with a posted document: one sentence a field."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import ValidationError
from pydantic_core import ErrorDetails


@dataclass(frozen=True)
class FieldProblem:
    """One thing wrong: `field` is its place in the document, `message` a whole sentence."""

    field: str
    message: str


class DocumentError(ValueError):
    """A document (a policy, facts, saved cases) that cannot be used. Nothing of it was."""

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(problem.message for problem in self.problems))


def problems_of(
    what: str, error: ValidationError, place: Sequence[str | int] = ()
) -> list[FieldProblem]:
    """Each error of a validation as a sentence that starts with `what` and names the field."""
    return [_sentence(what, place, detail["loc"], detail) for detail in error.errors()]


def field(path: Iterable[str | int]) -> str:
    """A place in a document as people write it: rules.3.days."""
    return ".".join(str(step) for step in path)


def _sentence(
    what: str, place: Sequence[str | int], path: Sequence[str | int], detail: ErrorDetails
) -> FieldProblem:
    name = field(path)
    match detail["type"]:
        case "extra_forbidden" | "unexpected_keyword_argument":
            words = f"{what} has no setting {name!r}. Take it out."
        case "missing":
            words = f"{what} lacks {name!r}. Give it."
        case _:
            given = repr(detail["input"])
            said = str(detail["msg"]).removeprefix("Value error, ")
            words = f"{what}: {name or 'it'} is {given[:80]}. {said.rstrip('.')}."
    return FieldProblem(field([*place, *path]), words)
