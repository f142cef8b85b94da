"""Tests that ask for more than the one place that they name.

- The value of `metadata.mlflow.traceInputs` and of `…Outputs` is JSON: a text is found with and without its quotes.
- `attributes.run_id` finds the traces that began in a run, and those that were linked to it later.
- The tag of an evaluation request has two names.
"""

from __future__ import annotations

from typing import Final

from tracehound.model.derive import TRACE_INPUTS, TRACE_OUTPUTS
from tracehound.model.record import to_json_text
from tracehound.query.check import joined
from tracehound.query.fields import ATTRIBUTES, Field, Group
from tracehound.query.tree import And, Checked, Not, Operator, Or, Scope, Test

_JSON_KEYS: Final = (TRACE_INPUTS, TRACE_OUTPUTS)
_RUN: Final = ATTRIBUTES["run_id"]
_REQUEST_IDS: Final = ("eval.requestId", "mlflow.eval.requestId")


def linked_run_key(run_id: str) -> str:
    """Return the key of the metadata which says that a trace was linked to a run.

    >>> linked_run_key("0a1b")
    'mlflow.linkedRun.0a1b'
    """
    return f"mlflow.linkedRun.{run_id}"


def expand(node: Checked) -> Checked:
    """Return the tree with such tests written out."""
    if isinstance(node, And):
        return joined(And, [expand(child) for child in node.children])
    if isinstance(node, Or):
        return joined(Or, [expand(child) for child in node.children])
    if isinstance(node, Not):
        return Not(expand(node.child))
    if isinstance(node, Scope):
        return node
    field, operator, value = node.field, node.operator, node.value
    is_exact = operator in (Operator.EQ, Operator.NE) and isinstance(value, str)
    if field == _RUN and is_exact:
        return _of_run(node, str(value))
    if field.group is Group.METADATA and field.name in _JSON_KEYS and is_exact:
        quoted = Test(field, operator, to_json_text(value))
        return joined(And if operator is Operator.NE else Or, [node, quoted])
    if field.group is Group.TAGS and field.name in _REQUEST_IDS:
        each = [Test(Field(field.group, name, field.kind), operator, value) for name in _REQUEST_IDS]
        return joined(And if operator is Operator.IS_NULL else Or, list(each))
    return node


def _of_run(test: Test, run_id: str) -> Checked:
    linked = Field(Group.METADATA, linked_run_key(run_id))
    if test.operator is Operator.EQ:
        return joined(Or, [test, Test(linked, Operator.EQ, "true")])
    return joined(And, [test, Test(linked, Operator.IS_NULL, None)])
