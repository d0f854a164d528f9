"""`Node`: a group or an array of an HDF5 file, with what is in it and beside it."""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.hdf5.groups import Link, links_of
from napari_defectseg.models.hdf5.header import messages_at
from napari_defectseg.models.hdf5.numbers import Array, Numbers, numbers_of, read_numbers
from napari_defectseg.models.hdf5.source import Source, Strange, source_of
from napari_defectseg.models.hdf5.values import Attribute, attributes_of

AGAIN = "It may have been cut off while it was copied; fetch it again."


class Node:
    """An object of an open file; its parts are read when asked for.

    Parameters
    ----------
    source : Source
    address : int
        Of its header.
    """

    def __init__(self, source: Source, address: int) -> None:
        self.source = source
        self._messages = messages_at(source, address)

    @cached_property
    def links(self) -> dict[str, Link]:
        """What lies in it by name; empty for an array."""
        return links_of(self.source, self._messages)

    @cached_property
    def attributes(self) -> dict[str, Attribute]:
        """What is said about it, by name."""
        return attributes_of(self.source, self._messages)

    @cached_property
    def numbers(self) -> Numbers | None:
        """The array that it is, None for a group."""
        return numbers_of(self.source, self._messages)

    def __contains__(self, name: str) -> bool:
        return name in self.links

    def child(self, name: str) -> Node:
        """Return what lies under a name, which must be no link to elsewhere."""
        return Node(self.source, self.links[name].address)

    def texts(self, name: str) -> list[str]:
        """Return the values of an attribute as text."""
        return self.attributes[name].texts(self.source)

    def values(self) -> Array:
        """Return the numbers of an array."""
        assert self.numbers is not None
        return read_numbers(self.source, self.numbers)


@contextmanager
def opened(content: Path | bytes, where: str) -> Iterator[Node]:
    """Give the outermost group of an HDF5 file.

    Raises
    ------
    ModelError
        If the file is damaged, or of a form that is not read; says what was seen.
    """
    try:
        with io.BytesIO(content) if isinstance(content, bytes) else content.open("rb") as file:
            source = source_of(file)
            yield Node(source, source.root)
    except (Strange, zlib.error) as error:
        raise ModelError(
            f"{where} is not a whole HDF5 file, or not of the usual form: {error}.", hint=AGAIN
        ) from error
    except OSError as error:
        raise ModelError(f"{where} cannot be read: {error.strerror or error}.") from error
