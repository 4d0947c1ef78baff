"""Which requests a metric counts: those that meet conditions on what is known before they are answered.

What an answer tells is no such column: variants answer differently, so that its conditions would pick other requests
in one arm than in another, and a difference between these would say nothing of the variants.
"""

from collections.abc import Iterable
from functools import reduce

import narwhals as nw

from controlplane.problems.errors import FieldProblem, InvalidInput
from routing.table import Condition, Operator, parse_condition

CONDITION_COLUMNS = ("edge", "client", "stream")
"""The columns that conditions may be on; `stream` is true where the client asked for one, and false else."""


def read_conditions(texts: Iterable[str]) -> tuple[Condition, ...]:
    """Conditions as people write them, like `edge is eu-1, eu-2`.

    Raises:
        InvalidInput: `metric-condition`, a text is none, or is on another column.

    """
    return tuple(map(_read, texts))


def meet(conditions: Iterable[Condition]) -> nw.Expr:
    """Whether a row meets all; one that lacks a column meets `is not` and `is absent` alone. Never null."""
    return reduce(nw.Expr.__and__, map(_meets, conditions))


def _read(text: str) -> Condition:
    try:
        found = parse_condition(text)
    except ValueError as error:
        raise _invalid(str(error)) from None
    if found.header not in CONDITION_COLUMNS:
        raise _invalid(f"{text!r} is a condition on {found.header}, which no request is chosen by.")
    return found


def _invalid(detail: str) -> InvalidInput:
    return InvalidInput(
        "metric-condition",
        detail,
        next_step=f"Write it like `edge is eu-1, eu-2`, on one of {', '.join(CONDITION_COLUMNS)}.",
        problems=(FieldProblem("conditions", detail),),
    )


def _meets(condition: Condition) -> nw.Expr:
    column = nw.col(condition.header).cast(nw.String)
    match condition.operator:
        case Operator.PRESENT:
            return ~column.is_null()
        case Operator.ABSENT:
            return column.is_null()
        case Operator.IS:
            return _known(column.is_in(condition.values))
        case Operator.IS_NOT:
            return ~_known(column.is_in(condition.values))
        case Operator.STARTS_WITH:
            return _any(column.str.starts_with(value) for value in condition.values)
        case Operator.CONTAINS:
            return _any(column.str.contains(value, literal=True) for value in condition.values)


def _any(found: Iterable[nw.Expr]) -> nw.Expr:
    return _known(reduce(nw.Expr.__or__, found))


def _known(found: nw.Expr) -> nw.Expr:
    return nw.when(found).then(nw.lit(value=True)).otherwise(nw.lit(value=False))
