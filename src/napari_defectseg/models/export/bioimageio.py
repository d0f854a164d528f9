"""A package of bioimage.io 0.5: ONNX with test arrays, our weights and card attached."""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from napari_defectseg.core.atomic import atomic_path
from napari_defectseg.core.progress import Step, Steps
from napari_defectseg.core.provenance import person
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.export.compare import (
    EDGE,
    Array,
    Exported,
    activated,
    logits_of,
    prepared,
    raw_image,
)
from napari_defectseg.models.export.description import description, least_size, takes_bytes
from napari_defectseg.models.export.onnx import traced
from napari_defectseg.models.export.traced import OPSET, check_installed
from napari_defectseg.models.model import TorchModel
from napari_defectseg.models.weights import write_safetensors

RDF = "rdf.yaml"
COVER = 256
"""Pixels along an edge of the picture on the cover."""
FIRST = datetime(1980, 1, 1, tzinfo=UTC)
"""Date of every member: the same model gives the same bytes."""


def write(model: TorchModel, out: Path, *, overwrite: bool) -> Steps[Exported]:
    """Write a zip archive."""
    import yaml

    check_installed()
    yield Step(1, 3, "following the network")
    with tempfile.TemporaryDirectory(prefix="defectseg-export-") as name:
        folder = Path(name)
        card, greatest, notes = traced(model, folder / "model.onnx")
        least = least_size(card, EDGE[card.dims])
        yield Step(2, 3, "computing its test")
        _write_files(model, card, least, folder)
        hashes = {f.name: _hash(f) for f in sorted(folder.iterdir())}
        stamp = datetime.now(UTC).isoformat(timespec="seconds")
        extra: Mapping[str, Any] = {
            "opset": OPSET,
            "author": person(),
            "timestamp": stamp,
            "card": model.card.as_dict(),
        }
        # Through JSON no part is there twice, which YAML would write as a reference.
        plain = json.loads(json.dumps(description(card, hashes, least, extra)))
        text = yaml.safe_dump(plain, sort_keys=False, allow_unicode=True)
        (folder / RDF).write_text(text, encoding="utf-8")
        with atomic_path(out, overwrite=overwrite) as part:
            _pack(folder, part)
    return Exported(out, (RDF, *hashes), greatest, notes)


def _write_files(model: TorchModel, card: ModelCard, least: int, folder: Path) -> None:
    shape = card.tile or (least,) * card.dims
    raw = raw_image(card, shape)
    if takes_bytes(card):
        raw = raw.astype(np.uint8)
    scores = activated(card, logits_of(model.network(), prepared(card, raw)))
    scores = (1 - scores if card.inverted else scores).astype(np.float32)
    np.save(folder / "test_input.npy", raw[None])
    np.save(folder / "test_output.npy", scores[None])
    write_safetensors(model.state_dict(), folder / "weights.safetensors")
    (folder / "README.md").write_text(_documentation(card), encoding="utf-8")
    _write_cover(raw, scores, folder / "cover.png")


def _write_cover(raw: Array, scores: Array, path: Path) -> None:
    """Draw the test: the image on the left, the most probable class on the right."""
    import imageio.v3

    plane = (slice(None), *(n // 2 for n in raw.shape[1:-2]))
    image, classes = raw[plane][0].astype(np.float64), scores[plane]
    label = classes.argmax(0) if len(classes) > 1 else (classes[0] > 0.5)
    parts = (image, label.astype(np.float64))
    pictures = [(p - p.min()) / (np.ptp(p) or 1.0) * 255 for p in parts]
    joined = np.concatenate([_stretched(picture) for picture in pictures], axis=1)
    imageio.v3.imwrite(path, np.rint(joined).astype(np.uint8))


def _stretched(picture: Array) -> Array:
    rows, columns = (np.arange(COVER) * n // COVER for n in picture.shape)
    return np.asarray(picture[np.ix_(rows, columns)])


def _documentation(card: ModelCard) -> str:
    classes = "\n".join(f"- {name}" for name in card.classes.names)
    quirks = "".join(f"\n- {quirk}" for quirk in card.quirks)
    low, high = card.pixel_size or (0.0, 0.0)
    size = f"{low:g} to {high:g} {card.pixel_unit} a pixel" if card.pixel_size else "not stated"
    return (
        f"# {card.name}\n\n{card.description or 'A segmentation model.'}\n\n"
        f"Classes ({card.task}):\n\n{classes}\n\nMade for: {size}.\n\n"
        f"Licence: {card.licence or 'not stated'}. Citation: {card.citation or 'not stated'}.\n\n"
        "Its halo is that of the whole receptive field.\n\n"
        "## Validation\n\nThe test arrays are an image "
        "made by a formula, so they check the computation, not how well defects are found; the "
        "scores in the attached card tell on which images it was judged.\n"
        + (f"\nWhat is unusual:\n{quirks}\n" if quirks else "")
    )


def _pack(folder: Path, out: Path) -> None:
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            member = zipfile.ZipInfo(file.name, FIRST.timetuple()[:6])
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = 0o644 << 16
            archive.writestr(member, file.read_bytes())


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
