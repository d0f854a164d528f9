"""`Analysis`: the bundle of what came out of one image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from pathlib import Path
from typing import Any

from napari_defectseg.images.image import CalibratedImage
from napari_defectseg.images.space import ReferenceSpace
from napari_defectseg.labels.audit import Audit
from napari_defectseg.labels.labelmap import LabelMap
from napari_defectseg.labels.stored import StoredLabels
from napari_defectseg.measurement.populations import Summary
from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.results.recipe import Recipe


@dataclass(frozen=True)
class ModelRecord:
    """Which model made a result.

    Parameters
    ----------
    name : str
        Of its card.
    path : str
        Where it was opened from.
    sha256 : str
        Hash of its weights.
    files : mapping of str to str
        Each of its files to its hash.
    """

    name: str
    path: str
    sha256: str
    files: Mapping[str, str] = dataclass_field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "name": self.name,
            "path": self.path,
            "sha256": self.sha256,
            "files": dict(self.files),
        }


@dataclass(frozen=True)
class Analysis:
    """What came out of one image, and everything that made it.

    Parameters
    ----------
    image : CalibratedImage
        With the pixel size that was used.
    labels : LabelMap or StoredLabels
        The objects; the mask is derived from them. Stored ones lie on the disk.
    table : RegionTable
    summary : Summary
    recipe : Recipe or None
        None where nothing was predicted.
    model : ModelRecord or None
    engine : str
        What ran the network.
    plan : mapping
        The resolved plan: tiles, threads, dtype, device.
    seconds : float
        Time it took.
    scores : array-like or None
        Probabilities (channel, *axes), where they were kept.
    disagreement : array-like or None
        How far several models for the same classes lie apart, in the shape of a mask.
    journal : Path or None
        Folder with ``edits.jsonl`` and ``edits/`` of a corrected result.
    specimen, field : str
        Where the image belongs.
    warnings : tuple of str
        Beside those of the summary.
    audit : Audit or None
        The five-minute review of these labels, as far as it has come.
    space : ReferenceSpace or None
        What was counted; None: all of the image.
    image_sha256 : str
        Hash of the image where it is known already; empty: it is computed when needed.
    ready : mapping of str to Path
        Files and folders of the result that are written already, and are moved into it.
    """

    image: CalibratedImage
    labels: LabelMap | StoredLabels
    table: RegionTable
    summary: Summary
    recipe: Recipe | None = None
    model: ModelRecord | None = None
    engine: str = ""
    plan: Mapping[str, Any] = dataclass_field(default_factory=dict)
    seconds: float = 0.0
    scores: Any = None
    disagreement: Any = None
    journal: Path | None = None
    specimen: str = ""
    field: str = ""
    warnings: tuple[str, ...] = ()
    audit: Audit | None = None
    space: ReferenceSpace | None = None
    image_sha256: str = ""
    ready: Mapping[str, Path] = dataclass_field(default_factory=dict)

    def sha256(self) -> str:
        """Return the hash of the image."""
        return self.image_sha256 or self.image.sha256()
