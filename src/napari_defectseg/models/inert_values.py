"""What an inert pickle is made of, and what our own functions make of the names in it.

A name in a pickle is a word here, never something imported. A few words have a meaning of our
own (a tensor in a storage, an ordered table, a set); all others become a `Stub` that remembers
what was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


class StrangePickle(ValueError):
    """A pickle that does what no honest one does, or that is not whole; says what."""


class AsksToRun(StrangePickle):
    """A pickle that wants a function of the system to be called."""


@dataclass(frozen=True)
class Name:
    """The name of a class or function, as a word."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(eq=False)
class Stub:
    """An object of a class that is not imported, and what it was given.

    Parameters
    ----------
    name : Name
        Of its class, or of the function that would have made it.
    args : tuple
    state : object
        What it would have been set to.
    items : dict
        What was put into it, if it is a kind of dictionary.
    listed : list
        What was added to it, if it is a kind of list.
    """

    name: Name
    args: tuple[Any, ...] = ()
    state: Any = None
    items: dict[Any, Any] = field(default_factory=dict)
    listed: list[Any] = field(default_factory=list)


@dataclass(frozen=True)
class Storage:
    """A run of numbers elsewhere in the file.

    Parameters
    ----------
    kind : str
        ``"FloatStorage"`` and so on.
    key : str
    length : int
        Numbers in it, bytes for ``"UntypedStorage"``.
    """

    kind: str
    key: str
    length: int


@dataclass(frozen=True)
class StoredTensor:
    """A tensor that is not read yet: a view of a storage.

    Parameters
    ----------
    storage : Storage
    offset : int
    size, stride : tuple of int
    dtype : str
        Of the numbers where the storage does not tell, ``"float32"``.
    """

    storage: Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]
    dtype: str = ""


# fmt: off
SYSTEM = frozenset((
    "__builtin__", "_io", "_osx_support", "_pickle", "_posixsubprocess", "_thread", "asyncio",
    "ast", "atexit", "bdb", "builtins", "cPickle", "cProfile", "cloudpickle", "code", "codecs",
    "commands", "concurrent", "copyreg", "ctypes", "dill", "distutils", "doctest", "ensurepip",
    "faulthandler", "ftplib", "functools", "gc", "getpass", "glob", "http", "idlelib", "imp",
    "importlib", "inspect", "io", "joblib", "linecache", "logging", "marshal", "mmap",
    "multiprocessing", "nt", "operator", "os", "pathlib", "pdb", "pickle", "pip", "pkg_resources",
    "pkgutil", "platform", "posix", "posixpath", "profile", "pty", "pydoc", "requests",
    "resource", "runpy", "sched", "setuptools", "shelve", "shutil", "signal", "site", "smtplib",
    "socket", "sqlite3", "ssl", "subprocess", "sys", "sysconfig", "tempfile", "test", "threading",
    "timeit", "trace", "types", "typing", "urllib", "uuid", "venv", "webbrowser", "xmlrpc",
    "zipfile", "zipimport",
))
# fmt: on
"""First words of modules whose functions no weight file needs. As nothing is ever run, this
list only decides how a file is refused; it need not be whole."""
TORCH_SYSTEM = ("torch.hub", "torch.utils", "torch.serialization", "torch.jit", "torch.package")


def make(name: Name, args: tuple[Any, ...]) -> Any:
    """Return what a call in a pickle means to us: a value of our own, or a `Stub`.

    Raises
    ------
    AsksToRun
        If a function of the system is asked for.
    StrangePickle
        If one of our own words is used in a way that makes no sense.
    """
    maker = _MAKERS.get(str(name))
    if maker is not None:
        try:
            return maker(*args)
        except (TypeError, ValueError, IndexError, OverflowError, UnicodeError) as error:
            raise StrangePickle(f"{name} with {len(args)} values makes no sense") from error
    if is_system(name):
        raise AsksToRun(str(name))
    return Stub(name, args)


def is_system(name: Name) -> bool:
    """Return whether calling this name would reach beyond a weight file."""
    first = name.module.split(".")[0]
    full = str(name)
    return (
        first in SYSTEM
        or full.startswith(TORCH_SYSTEM)
        or full == "torch.load"
        or ("numpy" in first and "f2py" in full)
        or not name.module
    )


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> StoredTensor:
    return _view(storage, offset, size, stride, "")


def _tensor_v3(
    storage: Any, offset: Any, size: Any, stride: Any, grad: Any, hooks: Any, dtype: Any, *_: Any
) -> StoredTensor:
    if not isinstance(dtype, Name) or dtype.module != "torch":
        raise ValueError("no type of numbers")
    return _view(storage, offset, size, stride, dtype.name)


def _view(storage: Any, offset: Any, size: Any, stride: Any, dtype: str) -> StoredTensor:
    if not isinstance(storage, Storage):
        raise ValueError("no storage")
    sizes, strides = tuple(size), tuple(stride)
    numbers = (offset, *sizes, *strides)
    if len(sizes) != len(strides) or len(sizes) > 8:
        raise ValueError("sizes and strides differ")
    if not all(type(n) is int and 0 <= n < 1 << 48 for n in numbers):
        raise ValueError("strange sizes")
    return StoredTensor(storage, offset, sizes, strides, dtype)


def _typed(function: Any, kind: Any, args: Any, state: Any) -> Any:
    """Return the tensor of a subclass of tensor; what makes it special is left aside."""
    if not isinstance(function, Name) or not str(function).startswith("torch._utils._rebuild"):
        raise ValueError("no tensor")
    return make(function, tuple(args))


def _table(*args: Any) -> dict[Any, Any]:
    if not args:
        return {}
    pairs = args[0].items() if isinstance(args[0], dict) else args[0]
    return {check_key(key): value for key, value in pairs}


def _default_table(*args: Any) -> dict[Any, Any]:
    return _table(*args[1:])


def _bag(*args: Any) -> list[Any]:
    return list(args[0]) if args else []


def _number(dtype: Any, data: Any = b"") -> Any:
    """Return a NumPy scalar as a number."""
    import numpy as np

    code = dtype.args[0] if isinstance(dtype, Stub) and dtype.args else None
    if not isinstance(code, str) or code.lstrip("<>|=")[:1] not in tuple("fiub") or len(code) > 4:
        raise ValueError("no type of numbers")
    raw = data if isinstance(data, bytes) else str(data).encode("latin1")
    return np.frombuffer(raw, np.dtype(code), 1)[0].item()


def _encoded(text: Any, coding: Any = "latin1") -> bytes:
    if not isinstance(text, str) or coding not in ("latin1", "latin-1", "utf-8", "utf8", "ascii"):
        raise ValueError("no text")
    return text.encode(coding)


def _first(value: Any, *_: Any) -> Any:
    return value


def _words(*parts: Any) -> str:
    return "/".join(str(part) for part in parts if isinstance(part, str | int))


def _instance(kind: Any, base: Any, state: Any) -> Stub:
    if not isinstance(kind, Name):
        raise ValueError("no class")
    return Stub(kind)


_MAKERS: Mapping[str, Callable[..., Any]] = {
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _tensor_v3,
    "torch._utils._rebuild_parameter": _first,
    "torch._utils._rebuild_parameter_with_state": _first,
    "torch._tensor._rebuild_from_type_v2": _typed,
    "torch.Size": lambda size=(): tuple(size),
    "torch.device": _words,
    **{f"torch.jit._pickle.build_{kind}list": _bag for kind in ("int", "double", "bool", "tensor")},
    "collections.OrderedDict": _table,
    "collections.defaultdict": _default_table,
    "collections.Counter": _table,
    "collections.deque": _bag,
    **{f"{b}.{kind}": _bag for b in ("builtins", "__builtin__") for kind in ("set", "frozenset")},
    **{f"{b}.list": _bag for b in ("builtins", "__builtin__")},
    **{f"{b}.{kind}": _words for b in ("builtins", "__builtin__") for kind in ("slice", "complex")},
    **{f"{b}.range": _words for b in ("builtins", "__builtin__")},
    "builtins.bytearray": lambda *args: b"",
    "_codecs.encode": _encoded,
    "numpy.core.multiarray.scalar": _number,
    "numpy._core.multiarray.scalar": _number,
    **{
        f"{module}.{kind}": _words
        for module in ("pathlib", "pathlib._local")
        for kind in ("Path", "PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath")
    },
    "copy_reg._reconstructor": _instance,
    "copyreg._reconstructor": _instance,
}
"""Words with a meaning, as functions of our own; all are harmless with any values."""


def check_key(key: Any) -> Any:
    """Return a key of a table; only plain values are keys, for hashing others may be endless.

    Raises
    ------
    StrangePickle
        If it is another.
    """
    plain = (str, int, float, bool, bytes, type(None), Name, Stub)
    if isinstance(key, plain):
        return key
    if isinstance(key, tuple) and len(key) < 16 and all(isinstance(part, plain) for part in key):
        return key
    raise StrangePickle(f"a table with a {type(key).__name__} as a key")
