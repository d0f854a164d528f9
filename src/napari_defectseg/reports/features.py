"""Objects as the features of a napari Labels layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from napari_defectseg.measurement.table import RegionTable

if TYPE_CHECKING:
    import pandas


def napari_features(table: RegionTable, *, most: int | None = None) -> pandas.DataFrame:
    """Return a table as ``Labels.features`` wants it: ``index`` is the number of the object.

    Parameters
    ----------
    table : RegionTable
        Of one image. Of a movie the first row of each object counts: napari has one a number.
    most : int, optional
        Objects at most; napari's own table becomes slow above some ten thousand.
    """
    import pandas

    labels = table["label"]
    _, first = np.unique(labels, return_index=True)
    rows = np.sort(first)[:most]
    columns = {table.heading(name): table[name][rows] for name in table.names if name != "label"}
    return pandas.DataFrame({"index": labels[rows], **columns})
