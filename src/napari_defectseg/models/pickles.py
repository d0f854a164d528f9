"""Which objects a pickle names, read without running anything in it."""

from __future__ import annotations

import io
import pickletools
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TypeAlias

MOST = 64 << 20
"""Bytes of a pickle that are looked at; the pickle of a large network has 0.1 MB."""
MOST_CODES = 3_000_000
"""Instructions of a pickle; a checkpoint of ten thousand tensors has a third of a million."""
LEGACY = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"
"""How files of torch before 1.6 begin."""
LEGACY_PICKLES = 5

Memo: TypeAlias = dict[int, str]


def names_in(file: BinaryIO) -> list[str]:
    """Return the full names of classes and functions in the next pickle of a file.

    A name that hides behind the pickle's memory of values may be missed: whoever reads the
    pickle afterwards must refuse by itself what it does not know.

    Raises
    ------
    ValueError
        If there is no whole pickle at this place, or it is too long.
    """
    found: list[str] = []
    texts: list[str] = []
    memo: Memo = {}
    for name, argument in _codes(file):
        if name in ("GLOBAL", "INST"):
            found.append(str(argument).replace(" ", "."))
        elif name == "STACK_GLOBAL":
            found.append(".".join(texts[-2:]) or "a hidden name")
        elif "UNICODE" in name or name.endswith("STRING"):
            texts.append(str(argument))
        elif name in ("MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT"):
            memo[len(memo) if argument is None else int(str(argument))] = (texts or [""])[-1]
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            texts.append(memo.get(int(str(argument)), ""))
        elif name.startswith("EXT"):
            found.append(f"entry {argument} of the extension registry")
    return list(dict.fromkeys(found))


def _codes(file: BinaryIO) -> Iterator[tuple[str, object]]:
    try:
        for count, (code, argument, _) in enumerate(pickletools.genops(file)):
            if count > MOST_CODES:
                raise ValueError(f"more than {MOST_CODES} instructions")
            yield code.name, argument
    except (ValueError, UnicodeDecodeError, IndexError, OverflowError, MemoryError) as error:
        raise ValueError(str(error)) from error


def names_in_file(path: Path) -> list[str]:
    """Return the names in a bare pickle, or in the pickles at the front of a legacy torch file.

    Raises
    ------
    ValueError
        If the file does not begin with a whole pickle.
    """
    file = _front(path)
    found = names_in(file)
    if file.getbuffer()[: len(LEGACY)] == LEGACY:
        for _ in range(LEGACY_PICKLES - 1):
            found += names_in(file)
    return list(dict.fromkeys(found))


def is_pickle(path: Path) -> bool:
    """Return whether a file begins with a whole pickle."""
    try:
        names_in(_front(path))
    except ValueError:
        return False
    return True


def _front(path: Path) -> io.BytesIO:
    with path.open("rb") as file:
        return io.BytesIO(file.read(MOST))
