"""How loops over pixels are compiled: on first use, kept on disk, without the interpreter lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

Function = TypeVar("Function", bound=Callable[..., object])


def compiled(function: Function) -> Function:
    """Compile `function` with numba when it is first called.

    The machine code is kept beside the module, or in the user's cache folder where that
    cannot be written. Give every argument one dtype and one layout: each new combination
    is compiled again.
    """
    return cast("Function", njit(cache=True, nogil=True)(function))
