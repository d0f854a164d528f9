"""How long does measuring take, next to public programs doing the same?

    python benchmarks/measure_regions.py [--small] [2D|3D]

512³ voxels with about 18,000 objects and 4096² pixels with about 6,000. One thread, CPU seconds of
the process, all engines in turn in one run, the least of three rounds; numbers are compared
first. Memory is what arrays took while measuring, beyond mask and grey values.
connected-components-3d and SimpleITK are compared with where they are installed.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

import sys
import time
import tracemalloc
from collections.abc import Callable
from importlib.util import find_spec

import numpy as np
from skimage.measure import label as skimage_label
from skimage.measure import regionprops_table

from napari_defectseg.measurement.regions import measure_regions
from napari_defectseg.measurement.settings import MeasureSettings

ROUNDS = 3
SLOW = 5.0
"""Seconds; what takes longer runs once."""
CASES = {"2D 4096²": ((4096, 4096), 9600, (5, 19)), "3D 512³": ((512, 512, 512), 44000, (2.2, 7))}
SMALL = {"2D 1024²": ((1024, 1024), 600, (5, 19)), "3D 128³": ((128, 128, 128), 690, (2.2, 7))}
PROPERTIES = (
    "label", "num_pixels", "area", "equivalent_diameter_area", "centroid", "bbox",
    "axis_major_length", "axis_minor_length", "intensity_mean", "intensity_std",
    "intensity_min", "intensity_max",
)  # fmt: skip
FORM = MeasureSettings(
    columns=("surface_area", "perimeter_crofton", "mean_curvature", "euler_number", "feret_max")
)


def scene(
    shape: tuple[int, ...], count: int, radii: tuple[float, float]
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


def growth(function: Callable[[], object]) -> float:
    """Return the MB that arrays took at most beyond those there before."""
    tracemalloc.start()
    function()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def engines(mask: np.ndarray, grey: np.ndarray) -> dict[str, Callable[[], object]]:
    """Return what is timed, by name; the labels that some begin with are made before."""
    labels = skimage_label(mask, connectivity=mask.ndim).astype(np.int32)
    names = PROPERTIES + (("orientation",) if mask.ndim == 2 else ())
    found: dict[str, Callable[[], object]] = {
        "ours": lambda: measure_regions(mask, image=grey),
        "ours, labels in": lambda: measure_regions(labels, image=grey),
        "ours with form": lambda: measure_regions(mask, image=grey, settings=FORM),
        "scikit-image": lambda: regionprops_table(
            skimage_label(mask, connectivity=mask.ndim), grey, properties=names
        ),
    }
    if find_spec("cc3d"):
        import cc3d

        near = 26 if mask.ndim == 3 else 8
        found["cc3d labels alone"] = lambda: cc3d.connected_components(mask, connectivity=near)
    if find_spec("SimpleITK"):
        found["SimpleITK with form"] = lambda: simple_itk(mask, grey)
    return found


def simple_itk(mask: np.ndarray, grey: np.ndarray) -> object:
    """Label, shape with surface and Feret diameter, grey values: SimpleITK's three filters."""
    import SimpleITK

    SimpleITK.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    labels = SimpleITK.ConnectedComponent(SimpleITK.GetImageFromArray(mask), True)
    shape = SimpleITK.LabelShapeStatisticsImageFilter()
    shape.ComputePerimeterOn()
    shape.ComputeFeretDiameterOn()
    shape.Execute(labels)
    values = SimpleITK.LabelIntensityStatisticsImageFilter()
    values.Execute(labels, SimpleITK.GetImageFromArray(grey))
    return values


def compare(mask: np.ndarray, grey: np.ndarray) -> int:
    """Fail unless our numbers are scikit-image's; return how many objects there are."""
    names = PROPERTIES + (("orientation",) if mask.ndim == 2 else ())
    table = measure_regions(mask, image=grey)
    truth = regionprops_table(skimage_label(mask, connectivity=mask.ndim), grey, properties=names)
    for name in truth:
        if name == "orientation":  # a direction and its opposite are one
            apart = np.abs(np.sin(table[name] - truth[name]))
            assert np.all((apart < 1e-6) | (table["aspect"] < 1.001))
        else:
            np.testing.assert_allclose(table[name], truth[name], rtol=1e-6, atol=1e-6)
    return len(table)


def main() -> None:
    for title, case in (SMALL if "--small" in sys.argv else CASES).items():
        if sys.argv[-1] in ("2D", "3D") and not title.startswith(sys.argv[-1]):
            continue
        mask, grey = scene(*case)
        count = compare(mask, grey)
        timed = engines(mask, grey)
        timed["ours with form"]()
        more = growth(timed["ours"])
        seconds: dict[str, list[float]] = {name: [] for name in timed}
        for _ in range(ROUNDS):
            for name, run in timed.items():
                if not seconds[name] or seconds[name][0] < SLOW:
                    seconds[name].append(cpu(run))
        print(f"{title}: {count} objects, {100 * mask.mean():.1f} % foreground, {more:.0f} MB more")
        for name, taken in seconds.items():
            ratios = sorted(a / b for a, b in zip(taken, seconds["ours"], strict=False))
            told = f"{min(taken):8.3f} s  {min(taken) / min(seconds['ours']):7.2f} × ours"
            print(f"  {name:22s} {told} ({ratios[0]:.2f} to {ratios[-1]:.2f})")


if __name__ == "__main__":
    main()
