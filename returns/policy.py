"""The shop's returns policy: the names that others use.

A `Policy` is a versioned document of ordered rules. `decide(policy, facts, at)` gives a
`Decision`; `receipt(decision)` is what is stored and shown of it.
"""

from returns.decision import Because, CompiledPolicy, Decision, compile_policy, decide
from returns.document import Policy, PolicyRule
from returns.errors import DocumentError, FieldProblem
from returns.facts import Facts
from returns.receipt import receipt, would_change
from returns.verdict import Effects, Outcome, Rule, Verdict

__all__ = [
    "Because",
    "CompiledPolicy",
    "Decision",
    "DocumentError",
    "Effects",
    "Facts",
    "FieldProblem",
    "Outcome",
    "Policy",
    "PolicyRule",
    "Rule",
    "Verdict",
    "compile_policy",
    "decide",
    "receipt",
    "would_change",
]
