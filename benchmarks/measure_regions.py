"""How long does measuring take, next to scikit-image doing the same?

Both label a class mask and measure area, box, centroid, equivalent diameter, axes (in the plane
also the orientation), mean, least, greatest grey value and their spread. One thread, CPU
seconds, the two in turn in one run, the least of several; numbers are compared first.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import time
from collections.abc import Callable

import numpy as np
from skimage.measure import label as skimage_label
from skimage.measure import regionprops_table

from napari_defectseg.components.label import label
from napari_defectseg.measurement.regions import measure_regions

ROUNDS = 3
CASES = {"2D 2048²": ((2048, 2048), 1500, (3, 18)), "3D 256³": ((256, 256, 256), 2400, (3, 11))}
PROPERTIES = (
    "label", "num_pixels", "area", "equivalent_diameter_area", "centroid", "bbox",
    "axis_major_length", "axis_minor_length", "intensity_mean", "intensity_std",
    "intensity_min", "intensity_max",
)  # fmt: skip


def scene(
    shape: tuple[int, ...], count: int, radii: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Return a mask of ellipsoids and 16-bit grey values."""
    rng = np.random.default_rng(0)
    mask = np.zeros(shape, np.uint8)
    for _ in range(count):
        half = rng.uniform(*radii, len(shape))
        centre = rng.uniform(0, shape)
        low = np.maximum(np.floor(centre - half), 0).astype(int)
        high = np.minimum(np.ceil(centre + half) + 1, shape).astype(int)
        grids = np.ogrid[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
        level = sum(((g - c) / h) ** 2 for g, c, h in zip(grids, centre, half, strict=True))
        mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] |= level <= 1
    return mask, rng.integers(0, 65536, shape, dtype=np.uint16)


def cpu(function: Callable[[], object]) -> float:
    start = time.process_time()
    function()
    return time.process_time() - start


def main() -> None:
    for title, case in CASES.items():
        mask, grey = scene(*case)
        names = PROPERTIES + (("orientation",) if mask.ndim == 2 else ())

        def ours(mask=mask, grey=grey):
            return measure_regions(mask, image=grey)

        def theirs(mask=mask, grey=grey, names=names):
            labels = skimage_label(mask, connectivity=mask.ndim)
            return regionprops_table(labels, grey, properties=names)

        table, truth = ours(), theirs()
        for name in truth:
            if name == "orientation":  # a direction and its opposite are one
                apart = np.abs(np.sin(table[name] - truth[name]))
                round_ones = table["aspect"] < 1.001
                assert np.all((apart < 1e-6) | round_ones)
            else:
                np.testing.assert_allclose(table[name], truth[name], rtol=1e-6, atol=1e-6)
        seconds = [(cpu(ours), cpu(theirs), cpu(lambda mask=mask: label(mask)))
                   for _ in range(ROUNDS)]  # fmt: skip
        mine, other, labelling = (min(times) for times in zip(*seconds, strict=True))
        ratios = sorted(b / a for a, b, _ in seconds)
        print(
            f"{title}: {len(table)} objects, {100 * mask.mean():.1f} % foreground: "
            f"{mine:.3f} s (labelling alone {labelling:.3f}), scikit-image {other:.3f} s: "
            f"{other / mine:.1f} times as fast (paired {ratios[0]:.1f} to {ratios[-1]:.1f})"
        )


if __name__ == "__main__":
    main()
