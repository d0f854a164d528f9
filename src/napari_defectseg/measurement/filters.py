"""Rows chosen by an expression such as ``area > 20 and class == 'void'``, safely."""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.measurement.table import RegionTable

LONGEST = 2000
"""Characters of an expression; nobody types more."""

_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.In: lambda value, choices: np.isin(value, choices),
    ast.NotIn: lambda value, choices: ~np.isin(value, choices),
}
_ARITHMETIC: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: np.divide,
}


def evaluate_filter(text: str, table: RegionTable) -> NDArray[np.bool_]:
    """Return which rows of a table an expression chooses.

    Columns are named as in the table (``centroid-0`` and ``class`` too), texts stand in quotes;
    compare with ``> >= < <= == != in``, combine with ``and or not``, compute with ``+ - * /``.
    Nothing else is understood, and nothing is executed.

    Parameters
    ----------
    text : str
        For example ``"equivalent_diameter_area > 5 and class in ['void', 'loop']"``.
    table : RegionTable

    Raises
    ------
    MeasurementError
        If it cannot be understood.
    """
    code, columns = _with_safe_names(text, table)
    try:
        if len(text) > LONGEST:
            raise MeasurementError(f"A filter has at most {LONGEST} characters.")
        tree = ast.parse(code.strip(), mode="eval")
        with np.errstate(all="ignore"):
            chosen = _value(tree.body, columns, text)
    except (
        SyntaxError,
        ValueError,
        TypeError,
        RecursionError,
        np.exceptions.DTypePromotionError,
    ) as error:
        if isinstance(error, MeasurementError):
            raise
        raise _not_understood(text) from error
    if not isinstance(chosen, np.ndarray) or chosen.dtype != np.bool_:
        raise _not_understood(text)
    return chosen


def _with_safe_names(text: str, table: RegionTable) -> tuple[str, dict[str, NDArray[Any]]]:
    """Return the expression with each column's name replaced by one that Python can read."""
    columns: dict[str, NDArray[Any]] = {}
    known = sorted(table.names, key=len, reverse=True)
    names = "|".join(re.escape(name) for name in known)
    pattern = re.compile(rf"""'[^']*'|"[^"]*"|(?<![\w-])(?P<name>{names})(?![\w])""")

    def safe(found: re.Match[str]) -> str:
        name = found["name"]
        if not name:
            return found[0]
        place = f"_c{known.index(name)}"
        columns[place] = table[name]
        return f" {place} "

    return (pattern.sub(safe, text) if known else text), columns


def _value(node: ast.expr, columns: dict[str, NDArray[Any]], text: str) -> Any:
    match node:
        case ast.Constant(value=bool() | int() | float() | str()):
            return node.value
        case ast.Name(id=name) if name in columns:
            return columns[name]
        case ast.Name(id=name):
            raise MeasurementError(
                f"The filter names {name!r}, which is no column.",
                hint="Put texts such as class names in quotes.",
            )
        case ast.List(elts=items) | ast.Tuple(elts=items):
            return [_value(item, columns, text) for item in items]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            return ~_truth(_value(operand, columns, text), text)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_value(operand, columns, text)
        case ast.BoolOp(op=how, values=items):
            parts = [_truth(_value(item, columns, text), text) for item in items]
            both = np.logical_and if isinstance(how, ast.And) else np.logical_or
            return both.reduce(parts)
        case ast.BinOp(left=left, op=how, right=right) if type(how) in _ARITHMETIC:
            return _ARITHMETIC[type(how)](_value(left, columns, text), _value(right, columns, text))
        case ast.Compare():
            return _compare(node, columns, text)
    raise _not_understood(text)


def _compare(node: ast.Compare, columns: dict[str, NDArray[Any]], text: str) -> Any:
    sides = [_value(item, columns, text) for item in (node.left, *node.comparators)]
    result: Any = True
    for left, how, right in zip(sides, node.ops, sides[1:], strict=False):
        if type(how) not in _COMPARE:
            raise _not_understood(text)
        result = result & _COMPARE[type(how)](left, right)
    return result


def _truth(value: Any, text: str) -> NDArray[np.bool_]:
    if not isinstance(value, np.ndarray) or value.dtype != np.bool_:
        raise _not_understood(text)
    return value


def _not_understood(text: str) -> MeasurementError:
    return MeasurementError(
        f"The filter {text[:80]!r} cannot be understood.",
        hint="Write it like: area > 20 and class == 'void'.",
    )
