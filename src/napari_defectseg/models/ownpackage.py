"""A package of bioimage.io that this program wrote: its weights and card come back whole."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import ARCHITECTURES
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.model import TorchModel
from napari_defectseg.models.package import Package
from napari_defectseg.models.weights import tensors_in

KEY = "napari_defectseg"


def own_model(package: Package, rdf: Mapping[str, Any], description: str) -> TorchModel | None:
    """Return the model that was exported, None where this program did not write the package.

    Parameters
    ----------
    package : Package
    rdf : mapping
        Its description.
    description : str
        Name of that file.

    Raises
    ------
    ModelError
        If its card or weights are damaged.
    """
    config = rdf.get("config")
    ours = config.get(KEY) if isinstance(config, dict) else None
    if not isinstance(ours, dict) or not isinstance(ours.get("card"), dict):
        return None
    name, sha256 = str(ours.get("weights", "")), _attached(rdf).get(str(ours.get("weights", "")))
    card = ModelCard.from_dict(ours["card"], f"The card in {package.path}")
    if sha256 is None or card.architecture not in ARCHITECTURES.names():
        return None
    if hashlib.sha256(package.read(name)).hexdigest() != sha256:
        raise ModelError(
            f"{package.path} holds another {name} than its description says.",
            hint="It was changed or damaged; fetch it again.",
        )
    return TorchModel(
        card,
        lambda: tensors_in(package.read(name), f"{package.path} → {name}"),
        path=str(package.path),
        format="bioimageio",
        sha256=sha256,
        files=(description, name),
    )


def _attached(rdf: Mapping[str, Any]) -> dict[str, str]:
    """Return name and SHA-256 of the files that are attached."""
    listed = rdf.get("attachments")
    tables = [item for item in listed if isinstance(item, dict)] if isinstance(listed, list) else []
    return {str(item.get("source")): str(item.get("sha256")) for item in tables}
