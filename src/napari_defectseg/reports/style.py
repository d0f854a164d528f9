"""How plots of reports look; set only while they are drawn."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

STYLE = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8,
    "axes.linewidth": 0.6,
    "axes.titlesize": 9,
    "hatch.linewidth": 0.5,
    "legend.fontsize": 8,
    "svg.hashsalt": "defectseg",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    "text.usetex": False,
    "text.parse_math": False,
}
"""Letters of SVG are outlines and those of PDF are embedded: both look the same anywhere."""


@contextmanager
def drawing() -> Iterator[None]:
    """Draw in this style whatever a person's own matplotlib settings are."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        yield
