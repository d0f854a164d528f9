"""`Ports`: what goes into and comes out of a model elsewhere, as arrays of ours and of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Ports:
    """Names, types and axes of a model's input and output.

    Parameters
    ----------
    input, output : str
    dtype : str
        Of the input, as numpy names it; whole numbers are rounded to, and cut off at its limits.
    layout, output_layout : str
        Axes in order: N samples, C channels, the others spatial; an output without C has one
        channel.
    batch : int
        Samples that the model takes at once; the block is repeated.
    labels : int
        Where the output is the number of a class: how many classes there are, else 0.
    """

    input: str
    output: str
    dtype: str = "float32"
    layout: str = "NCHW"
    output_layout: str = "NCHW"
    batch: int = 1
    labels: int = 0

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Ports:
        """Return the ports of the options of a program."""
        return cls(**{name: options[name] for name in cls.__dataclass_fields__ if name in options})

    def given(self, block: NDArray[np.float32]) -> NDArray[Any]:
        """Return a block as the model takes it.

        Parameters
        ----------
        block : ndarray of float32, shape (1, C, *spatial)
        """
        dtype = np.dtype(self.dtype)
        values: NDArray[Any] = block
        if dtype.kind in "iu":
            limits = np.iinfo(dtype)
            # The largest int32 and int64 are no float32: the next smaller one is.
            high = np.nextafter(np.float32(limits.max), np.float32(0))
            top = high if float(np.float32(limits.max)) > limits.max else limits.max
            values = np.clip(np.rint(block), limits.min, top)
        values = values.astype(dtype, copy=False)
        if self.layout[-1] == "C":
            values = np.moveaxis(values, 1, -1)
        if self.batch > 1:
            values = np.repeat(values, self.batch, axis=0)
        return np.ascontiguousarray(values)

    def taken(self, found: NDArray[Any]) -> NDArray[np.float32]:
        """Return what the model gave as ``(1, K, *spatial)`` of float32.

        Raises
        ------
        ValueError
            If it has not the axes that it promised.
        """
        found = np.asarray(found)[:1]
        if found.ndim != len(self.output_layout):
            raise ValueError(f"it gave {found.shape} where {self.output_layout} was promised")
        if "C" not in self.output_layout:
            found = found[:, None]
        elif self.output_layout[-1] == "C":
            found = np.moveaxis(found, -1, 1)
        if self.labels:
            classes = np.arange(self.labels).reshape((1, -1) + (1,) * (found.ndim - 2))
            found = found == classes
        result: NDArray[np.float32] = np.ascontiguousarray(found, np.float32)
        return result
