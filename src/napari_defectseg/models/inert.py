"""An inert reader of pickles: it follows the instructions and runs nothing.

An interpreter of its own, not `pickle.Unpickler` with a filter: there, classes that are let
through still run code while they are built. Here names are words (`inert_values`), objects are
stubs, and the amounts of everything are bounded.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from functools import partial
from typing import Any, BinaryIO, TypeAlias

from napari_defectseg.models.inert_values import (
    AsksToRun,
    Name,
    Storage,
    StrangePickle,
    Stub,
    check_key,
    is_system,
    make,
)

MOST_CODES = 10_000_000
MOST_ITEMS = 1_000_000

Step: TypeAlias = Callable[[Any], None]

_MARK = object()
_CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
# fmt: off
_VALUES = (
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE",
    "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8",
)
# fmt: on
_EMPTY: dict[str, Callable[[], Any]] = {
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_SET": list,
    "EMPTY_TUPLE": tuple,
}


class InertMachine:
    """Follows one pickle; what it built stays in its hands.

    Attributes
    ----------
    classes : list of str
        Names of classes and functions that the pickle holds objects of.
    source : str
        Python source of a class that an old file carries with it; shown, never run.
    """

    def __init__(self) -> None:
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self.classes: list[str] = []
        self.source = ""
        self._steps = self._table()

    def read(self, file: BinaryIO) -> Any:
        """Return what the next pickle of a file means, as tables, lists, numbers and stubs.

        Raises
        ------
        AsksToRun
            If it wants a function of the system to be called.
        StrangePickle
            If it is not whole, too large, or does what no honest pickle does.
        """
        try:
            for count, (code, argument, _) in enumerate(pickletools.genops(file)):
                if count > MOST_CODES or len(self._stack) > MOST_ITEMS:
                    raise StrangePickle("too many instructions")
                if code.name == "STOP":
                    return self._pop()
                step = self._steps.get(code.name)
                if step is None:
                    raise StrangePickle(f"the instruction {code.name}")
                step(argument)
        except StrangePickle:
            raise
        except (ValueError, IndexError, OverflowError, MemoryError, TypeError) as error:
            raise StrangePickle(str(error) or "instructions without values") from error
        raise StrangePickle("no end")

    def _table(self) -> dict[str, Step]:
        push = self._stack.append
        steps: dict[str, Step] = dict.fromkeys(_VALUES, push)
        steps.update({name: _pusher(push, partial(_same, v)) for name, v in _CONSTANTS.items()})
        steps.update({name: _pusher(push, kind) for name, kind in _EMPTY.items()})
        steps.update(dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), self._put))
        steps.update(dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), self._get))
        steps.update({n: lambda _: None for n in ("PROTO", "FRAME")})
        steps.update(
            {
                "MARK": lambda _: self._stack.append(_MARK),
                "POP": lambda _: self._stack.pop(),
                "POP_MARK": self._pop_mark,
                "DUP": lambda _: self._stack.append(self._stack[-1]),
                "LIST": lambda _: self._stack.append(self._to_mark()),
                "TUPLE": lambda _: self._stack.append(tuple(self._to_mark())),
                "DICT": lambda _: self._stack.append(_pairs({}, self._to_mark())),
                "FROZENSET": lambda _: self._stack.append(self._to_mark()),
                "APPEND": lambda _: self._add([self._pop()]),
                "APPENDS": lambda _: self._add(self._to_mark()),
                "ADDITEMS": lambda _: self._add(self._to_mark()),
                "SETITEM": lambda _: self._set(self._last(2)),
                "SETITEMS": lambda _: self._set(self._to_mark()),
                "GLOBAL": self._global,
                "STACK_GLOBAL": self._stack_global,
                "REDUCE": lambda _: self._call(*self._last(2)),
                "NEWOBJ": lambda _: self._new(*self._last(2)),
                "NEWOBJ_EX": lambda _: self._new(*self._last(3)[:2]),
                "OBJ": self._obj,
                "INST": self._inst,
                "BUILD": self._build,
                "BINPERSID": lambda _: self._stack.append(self._persistent(self._pop())),
            }
        )
        for count in (1, 2, 3):
            steps[f"TUPLE{count}"] = _pusher(push, partial(self._tuple, count))
        return steps

    def _tuple(self, count: int) -> tuple[Any, ...]:
        return tuple(self._last(count))

    def _pop_mark(self, _: Any) -> None:
        self._to_mark()

    def _pop(self) -> Any:
        if not self._stack or self._stack[-1] is _MARK:
            raise StrangePickle("an instruction without a value")
        return self._stack.pop()

    def _last(self, count: int) -> list[Any]:
        return [self._pop() for _ in range(count)][::-1]

    def _to_mark(self) -> list[Any]:
        items: list[Any] = []
        while self._stack:
            item = self._stack.pop()
            if item is _MARK:
                return items[::-1]
            items.append(item)
        raise StrangePickle("no mark")

    def _put(self, argument: Any) -> None:
        key = len(self._memo) if argument is None else int(argument)
        if len(self._memo) > MOST_ITEMS:
            raise StrangePickle("too many remembered values")
        self._memo[key] = self._stack[-1]

    def _get(self, argument: Any) -> None:
        if int(argument) not in self._memo:
            raise StrangePickle("a value that was never remembered")
        self._stack.append(self._memo[int(argument)])

    def _add(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if isinstance(target, Stub):
            target.listed.extend(items)
        elif isinstance(target, list):
            target.extend(items)
        else:
            raise StrangePickle(f"something appended to a {type(target).__name__}")

    def _set(self, items: list[Any]) -> None:
        target = self._stack[-1]
        if isinstance(target, Stub):
            _pairs(target.items, items)
        elif isinstance(target, dict):
            _pairs(target, items)
        else:
            raise StrangePickle(f"an entry put into a {type(target).__name__}")

    def _global(self, argument: Any) -> None:
        module, _, name = str(argument).partition(" ")
        self._stack.append(Name(module, name))

    def _stack_global(self, _: Any) -> None:
        module, name = self._last(2)
        if not isinstance(module, str) or not isinstance(name, str):
            raise AsksToRun("a hidden name")
        self._stack.append(Name(module, name))

    def _call(self, name: Any, args: Any) -> None:
        if not isinstance(name, Name) or not isinstance(args, tuple):
            raise StrangePickle("a call of something without a name")
        result = make(name, args)
        if isinstance(result, Stub):
            self._note(result.name)
        self._stack.append(result)

    def _new(self, name: Any, args: Any) -> None:
        if not isinstance(name, Name) or not isinstance(args, tuple):
            raise StrangePickle("an object of something without a name")
        self._call(name, args)

    def _obj(self, _: Any) -> None:
        items = self._to_mark()
        if not items:
            raise StrangePickle("an object of nothing")
        self._new(items[0], tuple(items[1:]))

    def _inst(self, argument: Any) -> None:
        module, _, name = str(argument).partition(" ")
        self._new(Name(module, name), tuple(self._to_mark()))

    def _build(self, _: Any) -> None:
        state, target = self._pop(), self._stack[-1]
        if isinstance(target, Stub):
            if isinstance(state, dict) and any(_is_hook(v) for v in state.values()):
                raise AsksToRun("a function that would be called later")
            target.state = state
        elif not isinstance(target, dict) or not isinstance(state, dict):
            raise StrangePickle(f"a {type(target).__name__} that is changed after it was made")

    def _persistent(self, pid: Any) -> Any:
        if isinstance(pid, tuple) and len(pid) >= 5 and pid[0] == "storage":
            kind, key, length = pid[1], pid[2], pid[4]
            plain = isinstance(kind, Name) and kind.module in ("torch", "torch.storage")
            if not plain or not isinstance(key, str) or type(length) is not int or length < 0:
                raise StrangePickle("a storage that makes no sense")
            if len(pid) > 5 and pid[5] is not None:
                raise StrangePickle("a view of a storage, as torch wrote it before 2017")
            return Storage(kind.name, key, length)
        if isinstance(pid, tuple) and len(pid) == 4 and pid[0] == "module":
            self.source = self.source or str(pid[3])[:100_000]
            return pid[1]
        raise StrangePickle("a reference to something outside the file")

    def _note(self, name: Name) -> None:
        if str(name) not in self.classes and len(self.classes) < 1000:
            self.classes.append(str(name))


def _pusher(push: Step, made: Callable[[], Any]) -> Step:
    def step(_: Any) -> None:
        push(made())

    return step


def _same(value: Any) -> Any:
    return value


def _pairs(target: dict[Any, Any], items: list[Any]) -> dict[Any, Any]:
    if len(items) % 2:
        raise StrangePickle("a key without a value")
    for key, value in zip(items[::2], items[1::2], strict=True):
        target[check_key(key)] = value
    return target


def _is_hook(value: Any) -> bool:
    return isinstance(value, Name) and is_system(value) and value.module not in ("builtins",)
