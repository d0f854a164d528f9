"""What follows from the neighbourhoods of 2 × 2 (× 2) pixels of an object, counted along its runs.

Bit ``dy + 2 dz + 4 dx`` of a configuration says whether that pixel is of the object.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.components.compiled import compiled
from napari_defectseg.measurement.bodies import Bodies
from napari_defectseg.measurement.directions import shares_of_circle, shares_of_sphere
from napari_defectseg.measurement.gathering import lines_of

Real = NDArray[np.float64]
CONFIGURATIONS = 256
FAR = np.iinfo(np.int32).max
Offset = tuple[int, ...]


@dataclass(frozen=True)
class Neighbourhoods:
    """Surface, mean width and Euler numbers of objects.

    Parameters
    ----------
    bodies : Bodies
    """

    bodies: Bodies

    @cached_property
    def sums(self) -> Real:
        """Surface (perimeter), mean width, Euler number of full and of face neighbours, (n, 4)."""
        tables = _cached(self.bodies.flat, *self.bodies.steps.tolist())
        out = np.zeros((len(self.bodies), tables.shape[1]))
        sum_configurations(
            self.bodies.first, self.bodies.runs, self.bodies.boxes, self.bodies.flat, tables, out
        )
        return out


@lru_cache(maxsize=8)
def _cached(flat: bool, z: float, y: float, x: float) -> Real:
    """Return the tables of a pixel size; making them takes as long as thousands of objects."""
    steps = np.array([z, y, x])
    return flat_tables(steps) if flat else tables_of(steps)


def flat_tables(steps: Real) -> Real:
    """Return what each configuration adds in a plane, shape (256, 4).

    Perimeter L = π/2 · crossings per length of test lines, over the four directions of the
    lattice, each weighted by its share of all directions (Crofton); mean width 0 (not used);
    Euler numbers with 8 and with 4 neighbours.
    """
    out = np.zeros((CONFIGURATIONS, 4))
    size = steps[1] * steps[2]
    vectors = [(0, 1, 0), (0, 0, 1), (0, 1, 1), (0, 1, -1)]
    lengths = np.array([np.hypot(v[1] * steps[1], v[2] * steps[2]) for v in vectors])
    weights = np.pi / 2 * shares_of_circle(np.array(vectors)[:, 1:] * steps[1:]) * size / lengths
    for code in range(CONFIGURATIONS):
        pixels = _pixels(code)
        if any(z for z, _, _ in pixels):
            continue
        for vector, weight in zip(vectors, weights, strict=True):
            out[code, 0] += weight * _transitions(pixels, vector, depth=1)
        out[code, 2] = _closed_euler(pixels, axes=(1, 2))
        out[code, 3] = _open_euler(pixels, axes=(1, 2))
    return out


def tables_of(steps: Real) -> Real:
    """Return what each configuration adds in a volume, shape (256, 4).

    Surface S = 2 Σ w n v/|d| over the 13 directions d of the lattice, n crossings along d, v the
    size of a voxel, w the share of all directions that are nearest to d (Ohser & Mücklich,
    Statistical Analysis of Microstructures, 2000; Lehmann & Legland 2012). Mean width likewise
    from the Euler numbers of sections by the 13 families of lattice planes. Euler numbers with
    26 and with 6 neighbours.
    """
    out = np.zeros((CONFIGURATIONS, 4))
    voxel = float(np.prod(steps))
    vectors = _half_of_neighbours()
    real = np.array(vectors) * steps
    weights = 2 * shares_of_sphere(real) * voxel / np.linalg.norm(real, axis=1)
    sections = list(_sections(steps))
    for code in range(CONFIGURATIONS):
        pixels = _pixels(code)
        for vector, weight in zip(vectors, weights, strict=True):
            out[code, 0] += weight * _transitions(pixels, vector, depth=2)
        out[code, 1] = sum(height * _section_euler(pixels, cell) for height, cell in sections)
        out[code, 2] = _closed_euler(pixels, axes=(0, 1, 2))
        out[code, 3] = _open_euler(pixels, axes=(0, 1, 2))
    return out


def _pixels(code: int) -> set[Offset]:
    """Return the offsets (z, y, x) of the pixels of a configuration."""
    return {(bit >> 1 & 1, bit & 1, bit >> 2) for bit in range(8) if code >> bit & 1}


def _half_of_neighbours() -> list[Offset]:
    """Return one of each two opposite neighbours of a voxel."""
    return [v for v in product((-1, 0, 1), repeat=3) if v > (0, 0, 0)]


def _transitions(pixels: set[Offset], vector: Offset, depth: int) -> float:
    """Return crossings along a vector, each shared by all configurations that see it."""
    places = list(product(range(depth), (0, 1), (0, 1)))
    ends = [(p, (p[0] + vector[0], p[1] + vector[1], p[2] + vector[2])) for p in places]
    pairs = [(one, other) for one, other in ends if other in places]
    return sum((one in pixels) != (other in pixels) for one, other in pairs) / len(pairs)


def _closed_euler(pixels: set[Offset], axes: tuple[int, ...]) -> float:
    """Return the share of the Euler number of closed pixels: neighbours by corners are joined.

    Vertices minus edges plus faces minus cubes; each is there if a pixel at it is.
    """
    total = 0.0
    for sides in product((None, 0, 1), repeat=len(axes)):
        # A half edge (quarter face, …) from the vertex towards these sides.
        wanted = [(axis, side) for axis, side in zip(axes, sides, strict=True) if side is not None]
        there = any(all(p[axis] == side for axis, side in wanted) for p in pixels)
        total += (-0.5) ** len(wanted) * there
    return total


def _open_euler(pixels: set[Offset], axes: tuple[int, ...]) -> float:
    """Return the share of the Euler number where only neighbours by faces are joined.

    Pixels minus pairs plus squares minus cubes, all of whose pixels are there.
    """
    total = 0.0
    for sides in product((None, 0, 1), repeat=len(axes)):
        fixed = [(axis, side) for axis, side in zip(axes, sides, strict=True) if side is not None]
        free = len(axes) - len(fixed)
        whole = [p for p in product(*((0, 1) if a in axes else (0,) for a in range(3)))
                 if all(p[axis] == side for axis, side in fixed)]  # fmt: skip
        total += (-1) ** free * 0.5 ** len(fixed) * all(p in pixels for p in whole)
    return total


def _sections(steps: Real) -> list[tuple[float, list[Offset]]]:
    """Return cells of lattice planes in a 2 × 2 × 2 neighbourhood, each with its weight.

    The weight is the share of the plane's direction times the distance of such planes, over
    the number of configurations that see the cell.
    """
    families: dict[Offset, list[list[Offset]]] = {}
    shared: dict[Offset, float] = {}
    for axis in range(3):
        normal = tuple(int(k == axis) for k in range(3))
        cells = [[p for p in product((0, 1), repeat=3) if p[axis] == side] for side in (0, 1)]
        families[normal], shared[normal] = cells, 0.5
    for normal in _half_of_neighbours():
        level = {p: sum(a * b for a, b in zip(p, normal, strict=True))
                 for p in product((0, 1), repeat=3)}  # fmt: skip
        for value in sorted(set(level.values())):
            cell = [p for p, at in level.items() if at == value]
            # Of oblique planes: the rectangle of a {110}, the two triangles of a {111}.
            if sum(map(abs, normal)) == 2 and len(cell) == 4:
                families.setdefault(normal, []).append(cell)
            if sum(map(abs, normal)) == 3 and len(cell) == 3:
                families.setdefault(normal, []).append(cell)
            shared.setdefault(normal, 1.0)
    normals = list(families)
    # Planes h·x/step = whole number: normal h/step, their distance 1/|h/step|.
    real = np.array(normals) / steps
    weights = shares_of_sphere(real) / np.linalg.norm(real, axis=1)
    return [
        (float(weight) * shared[normal], cell)
        for normal, weight in zip(normals, weights, strict=True)
        for cell in families[normal]
    ]


def _section_euler(pixels: set[Offset], cell: list[Offset]) -> float:
    """Return the share of the Euler number of a section that one cell of it adds.

    Rectangles: the mean of both connectivities, (Q1 - Q3)/4; triangles (T1 - T2)/6.
    """
    there = sum(p in pixels for p in cell)
    signs = {1: 1, 3: -1} if len(cell) == 4 else {1: 1, 2: -1}
    return signs.get(there, 0) / (4 if len(cell) == 4 else 6)


@compiled
def sum_configurations(
    first: NDArray[np.int64],
    runs: NDArray[np.int32],
    boxes: NDArray[np.int64],
    flat: bool,
    tables: Real,
    out: Real,
) -> None:
    """Sum up, for each object, what its configurations add.

    Parameters
    ----------
    first, runs, boxes, flat
        As `Bodies` has them.
    tables : ndarray of float, shape (256, k)
        What a configuration adds.
    out : ndarray of float, shape (n, k)
    """
    count = np.zeros(CONFIGURATIONS, np.int64)
    at = np.empty(4, np.int64)
    end = np.empty(4, np.int64)
    for body in range(first.size - 1):
        begin, stop = first[body], first[body + 1]
        if begin == stop:
            continue
        depth, height = boxes[body, 3], boxes[body, 4]
        lines = np.empty(depth * height + 1, np.int64)
        lines_of(runs, begin, stop, boxes[body], lines)
        count[:] = 0
        for z in range(0 if flat else -1, depth):
            for y in range(-1, height):
                for row in range(4):
                    v = z + row // 2
                    u = y + row % 2
                    inside = v >= 0 and v < depth and u >= 0 and u < height
                    if inside and not (flat and row > 1):
                        at[row] = 2 * lines[v * height + u]
                        end[row] = 2 * lines[v * height + u + 1]
                    else:
                        at[row] = end[row] = 0
                _sweep(runs, at, end, count)
        for code in range(1, CONFIGURATIONS):
            if count[code]:
                for column in range(tables.shape[1]):
                    out[body, column] += count[code] * tables[code, column]


@compiled
def _sweep(
    runs: NDArray[np.int32], at: NDArray[np.int64], end: NDArray[np.int64], count: NDArray[np.int64]
) -> None:
    """Count the configurations along four neighbouring lines; `at` is moved to `end`."""
    state = 0
    before = 0
    while True:
        here = FAR
        for row in range(4):
            if at[row] < end[row]:
                here = min(here, runs[at[row] >> 1, 2 + (at[row] & 1)])
        if here == FAR:
            break
        if state:
            count[state | state << 4] += here - before - 1
        new = state
        for row in range(4):
            if at[row] < end[row] and runs[at[row] >> 1, 2 + (at[row] & 1)] == here:
                new ^= 1 << row
                at[row] += 1
        count[state | new << 4] += 1
        state = new
        before = here
