"""Surfaces of objects in space as STL and PLY."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from napari_defectseg.core.atomic import atomic_folder
from napari_defectseg.core.errors import MeasurementError
from napari_defectseg.labels.labelmap import LabelMap

Form: TypeAlias = Literal["stl", "ply"]
_STL = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("colour", "<u2")])
_FACE = np.dtype([("count", "u1"), ("corners", "<i4", 3)])


@dataclass(frozen=True)
class Mesh:
    """The surface of an object.

    Parameters
    ----------
    label : int
        Number of the object.
    class_name : str
    corners : ndarray of float32, shape (n, 3)
        x, y, z in the unit of the pixel size; the middle of the first voxel is 0.
    faces : ndarray of int32, shape (m, 3)
        Corners of each triangle, anticlockwise as seen from outside.
    """

    label: int
    class_name: str
    corners: NDArray[np.float32]
    faces: NDArray[np.int32]

    @property
    def volume(self) -> float:
        """Volume within the surface."""
        a, b, c = (self.corners[self.faces[:, k]].astype(np.float64) for k in range(3))
        return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def meshes(labels: LabelMap) -> Iterator[Mesh]:
    """Yield the surface of each object, half way between its voxels and those beside it.

    It is for looking and printing: numbers of surface areas come from `measure_regions`, since
    the surface of a mask of voxels is too large.

    Raises
    ------
    MeasurementError
        If the labels are no volume.
    """
    from scipy.ndimage import find_objects
    from skimage.measure import marching_cubes

    if labels.axes != ("z", "y", "x"):
        raise MeasurementError(
            "Surfaces are those of objects in a volume; these labels have the axes "
            f"{', '.join(labels.axes)}."
        )
    step = np.array(labels.calibration.steps)
    names = {item.value: item.name for item in labels.classes}
    for plane in labels.planes:
        boxes: Sequence[tuple[slice, ...] | None] = find_objects(plane)
        for number, box in enumerate(boxes, start=1):
            if box is None:
                continue
            solid = np.pad(plane[box] == number, 1).astype(np.float32)
            corners, faces, _, _ = marching_cubes(solid, 0.5, allow_degenerate=False)
            corners = (corners - 1 + [axis.start for axis in box]) * step
            mesh = Mesh(
                number,
                names.get(labels.object_classes.get(number, 0), "object"),
                corners[:, ::-1].astype(np.float32),
                faces.astype(np.int32),
            )
            # Turning zyx into xyz mirrors the space: triangles are turned so that they look out.
            yield mesh if mesh.volume > 0 else _turned(mesh)


def write_meshes(
    labels: LabelMap, folder: str | Path, *, form: Form = "stl", overwrite: bool = False
) -> Path:
    """Write the surface of each object into a file of its own, ``class-number.stl``.

    Raises
    ------
    MeasurementError
        If the labels are no volume.
    AlreadyExists, NotSaved
        If the folder exists and `overwrite` is false, or cannot be written.
    """
    write = {"stl": _stl, "ply": _ply}[form]
    unit = labels.calibration.length_unit
    with atomic_folder(folder, overwrite=overwrite) as part:
        for mesh in meshes(labels):
            word = mesh.class_name.replace("/", "-").replace(" ", "-")
            name = f"{word}-{mesh.label:04d}.{form}"
            (part / name).write_bytes(write(mesh, unit))
    return Path(folder)


def _stl(mesh: Mesh, unit: str) -> bytes:
    triangles = np.zeros(len(mesh.faces), _STL)
    corners = mesh.corners[mesh.faces]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(normal, axis=1, keepdims=True)
    triangles["normal"] = np.divide(normal, length, out=np.zeros_like(normal), where=length > 0)
    triangles["corners"] = corners
    text = f"{mesh.class_name} {mesh.label}, in {unit}".encode()[:80].ljust(80)
    return text + len(triangles).to_bytes(4, "little") + triangles.tobytes()


def _ply(mesh: Mesh, unit: str) -> bytes:
    faces: NDArray[Any] = np.zeros(len(mesh.faces), _FACE)
    faces["count"], faces["corners"] = 3, mesh.faces
    header = "\n".join(
        (
            "ply",
            "format binary_little_endian 1.0",
            f"comment {mesh.class_name} {mesh.label}, in {unit}",
            f"element vertex {len(mesh.corners)}",
            *(f"property float {axis}" for axis in "xyz"),
            f"element face {len(faces)}",
            "property list uchar int vertex_indices",
            "end_header\n",
        )
    )
    return header.encode() + mesh.corners.astype("<f4").tobytes() + faces.tobytes()


def _turned(mesh: Mesh) -> Mesh:
    return Mesh(mesh.label, mesh.class_name, mesh.corners, mesh.faces[:, ::-1])
