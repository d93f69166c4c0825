"""How figures are taken and told."""

from __future__ import annotations

from bench.measure import compared, in_turns
from bench.table import row


def test_a_line_compares_medians_of_rounds_in_turns_and_says_whether_the_goal_is_met() -> None:
    order: list[str] = []
    figures = iter([90.0, 9.0, 10.0, 5.0, 30.0, 6.0, 20.0, 4.0])  # the first round warms up

    def measured(name: str) -> float:
        order.append(name)
        return next(figures)

    seen = in_turns({"a": lambda: measured("a"), "b": lambda: measured("b")}, rounds=3)
    assert order == ["a", "b"] * 4
    line = compared("one", seen, ("a", "b"), "us", "the other", goal=3.0)
    assert (line["value"], line["ratio"], line["met"]) == (20.0, 4.0, False)
    assert line["spread"] == [10.0, 30.0, 4.0, 6.0]
    assert compared("one", seen, ("b", "a"), "us", "the other", goal=0.25)["met"]
    assert row(line) == "| `one` | 20 (10 to 30) us | 4 | 3.0 | no | the other |"
