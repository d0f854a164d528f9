"""Configurations of MONAI bundles as plain data: references followed, nothing run.

``@a::b`` (or ``@a#b``) stands for another value. A text that begins with ``$`` is Python; here it
is never run, but one that is arithmetic on numbers alone is worked out by a small calculator.
"""

from __future__ import annotations

import ast
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any

from napari_defectseg.core.errors import ModelError

DEEPEST = 20
LONGEST = 200
"""Letters of arithmetic that is worked out."""
LARGEST = 1e12
_REFERENCE = re.compile(r"@([\w.]+(?:(?:::|#)[\w.]+)*)")
_DUAL: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}


class NotPlain(ModelError):
    """A value that only running Python could give."""


class Configuration:
    """Values of a configuration, with what they refer to.

    Parameters
    ----------
    values : mapping
        As read from JSON or YAML.
    where : str
        The file, for messages.
    """

    def __init__(self, values: Mapping[str, Any], where: str) -> None:
        self._values, self._where = values, where

    def get(self, name: str) -> Any:
        """Return a value without references, None where there is none of that name.

        Raises
        ------
        NotPlain
            If it needs Python to be run, or refers to what is not there or to itself.
        """
        return self.plain(self._values.get(name))

    def raw(self, name: str) -> Any:
        """Return a value as it stands."""
        return self._values.get(name)

    def plain(self, value: Any, depth: int = 0) -> Any:
        """Return a value with its references replaced, see `get`."""
        if depth > DEEPEST:
            raise NotPlain(f"{self._where} refers to itself, or is too deep.")
        if isinstance(value, dict):
            return {name: self.plain(item, depth + 1) for name, item in value.items()}
        if isinstance(value, list):
            return [self.plain(item, depth + 1) for item in value]
        if not isinstance(value, str):
            return value
        if value.startswith("$"):
            return self._calculated(value[1:], depth)
        if value.startswith("%"):
            raise NotPlain(f"{self._where} takes {value!r} from another file.")
        whole = _REFERENCE.fullmatch(value)
        return self._at(whole[1], depth) if whole else value

    def _at(self, path: str, depth: int) -> Any:
        found: Any = self._values
        for name in re.split("::|#", path):
            if isinstance(found, dict) and name in found:
                found = found[name]
            elif isinstance(found, list) and name.isdigit() and int(name) < len(found):
                found = found[int(name)]
            else:
                raise NotPlain(f"{self._where} refers to {path!r}, which it does not have.")
        return self.plain(found, depth + 1)

    def _calculated(self, text: str, depth: int) -> Any:
        seen: list[Any] = []

        def stand_in(match: re.Match[str]) -> str:
            seen.append(self._at(match[1], depth))
            return f"_{len(seen) - 1}_"

        refused = NotPlain(f"{self._where} holds {('$' + text)[:60]!r}, Python that is never run.")
        if len(text) > LONGEST:
            raise refused
        try:
            tree = ast.parse(_REFERENCE.sub(stand_in, text).strip(), mode="eval")
            return _worked_out(tree.body, seen)
        except (SyntaxError, ValueError, ArithmeticError, RecursionError, MemoryError) as error:
            raise refused from error


def _worked_out(node: ast.expr, seen: list[Any]) -> Any:
    """Return the value of arithmetic; `ValueError` for anything else."""
    if isinstance(node, ast.Constant) and type(node.value) in (int, float, bool):
        return node.value
    found = re.fullmatch(r"_(\d+)_", node.id) if isinstance(node, ast.Name) else None
    if found and int(found[1]) < len(seen):
        return seen[int(found[1])]
    if isinstance(node, ast.List | ast.Tuple):
        return [_worked_out(item, seen) for item in node.elts]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_number(_worked_out(node.operand, seen))
    if isinstance(node, ast.BinOp) and type(node.op) in _DUAL:
        one, other = (_number(_worked_out(n, seen)) for n in (node.left, node.right))
        return _number(_DUAL[type(node.op)](one, other))
    raise ValueError("not arithmetic")


def _number(value: Any) -> Any:
    if type(value) not in (int, float) or not abs(value) < LARGEST:
        raise ValueError("not a number")
    return value
