"""Reference weights and outputs of the published networks, rebuilt in temporary folders."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from napari_defectseg.models.model import TorchModel

ROOT = Path(__file__).resolve().parents[2]
PROBABILITY = 5e-5
LOGITS = 2e-4
LABELS = 1e-4
ACTIVATION = 2e-5


def folder() -> Path:
    """Return the folder of the reference, or skip with a sentence."""
    path = Path(os.environ.get("DEFECTSEG_TEST_REFERENCE", ROOT.parent / "shared" / "reference"))
    if not path.is_dir():
        pytest.skip(
            f"No reference networks at {path}: set DEFECTSEG_TEST_REFERENCE to run this test."
        )
    return path


def rebuilt(name: str, out: Path, *, weights_only: bool = False) -> Path:
    """Write the weight file of a reference network and return its path."""
    place = folder()
    module = sys.modules.get("reference_rebuild")
    if module is None:
        sys.path.insert(0, str(place))
        spec = importlib.util.spec_from_file_location("reference_rebuild", place / "rebuild.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.modules["reference_rebuild"] = module
        sys.path.remove(str(place))
    module.rebuild(str(place / name / "layout.json"), str(out), weights_only)
    return out


def arrays(name: str) -> dict[str, np.ndarray]:
    """Return the arrays of an .npz file of the reference."""
    with np.load(folder() / name) as file:
        return {key: file[key] for key in file.files}


def run(model: TorchModel, images: np.ndarray, *names: str) -> dict[str, np.ndarray]:
    """Return logits (under ``"logits"``) and named nodes of a network, channels last.

    Parameters
    ----------
    images : ndarray, shape (n, *spatial) or (n, *spatial, c)
    """
    network: Any = model.network()
    x = torch.from_numpy(np.asarray(images, np.float32))
    x = x[:, None] if x.ndim == model.card.dims + 1 else x.movedim(-1, 1)
    with torch.inference_mode():
        found = network.between(x, names)
    found["logits"] = found[network.graph.output]
    return {name: tensor.movedim(1, -1).numpy() for name, tensor in found.items()}


def softmax(logits: np.ndarray) -> np.ndarray:
    shifted = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return shifted / shifted.sum(axis=-1, keepdims=True)


def sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))


def probabilities(model: TorchModel, images: np.ndarray) -> np.ndarray:
    """Return what the model's card makes of the logits, channels last."""
    logits = run(model, images)["logits"]
    turn = {"softmax": softmax, "sigmoid": sigmoid, "none": lambda x: x}
    return turn[model.card.activation](logits)


def largest(one: np.ndarray, other: np.ndarray) -> float:
    """Return the largest absolute difference."""
    assert one.shape == other.shape
    return float(np.abs(one.astype(np.float64) - other).max())


def check_labels(found: np.ndarray, wanted: np.ndarray) -> None:
    """Fail unless the best classes agree wherever they are not within the tolerance.

    Parameters
    ----------
    found : ndarray, shape (..., c)
        Probabilities.
    wanted : ndarray, shape (...)
        Labels of the published code.
    """
    two = np.sort(found, axis=-1)[..., -2:]
    clear = two[..., 1] - two[..., 0] > LABELS
    wrong = found.argmax(axis=-1) != wanted
    assert not (wrong & clear).any()
    assert (wrong & ~clear).sum() <= 5
