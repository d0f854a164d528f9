"""Files that Keras and TensorFlow wrote for other networks: all of their containers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.models import reference as ref

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.open import open_model
from napari_defectseg.models.save import save_model

K2, K3 = "formats/keras2_2d", "formats/keras3"


@pytest.mark.parametrize(
    ("file", "io", "task", "halo"),
    [
        (f"{K2}/unet_full.h5", K2, "exclusive", 20),
        (f"{K2}/unet_weights_only.h5", K2, "exclusive", 20),
        (f"{K2}/unet_architecture.json", K2, "exclusive", 20),
        (f"{K2}/unet_keras2.keras", K2, "exclusive", 20),
        ("formats/keras2_3d/unet3d_full.h5", "formats/keras2_3d", "exclusive", 12),
        (f"{K2}/savedmodel", K2, "exclusive", 20),
        (f"{K2}/savedmodel/saved_model.pb", K2, "exclusive", 20),
        ("formats/tf2_checkpoint", "formats/tf2_checkpoint", "exclusive", 20),
        ("formats/tf2_checkpoint/ckpt-1.index", "formats/tf2_checkpoint", "exclusive", 20),
        (f"{K3}/unet.keras", f"{K3}:unet", "exclusive", 16),
        (f"{K3}/unet_legacy.h5", f"{K3}:unet", "exclusive", 16),
        (f"{K3}/unet.weights.h5", f"{K3}:unet", "exclusive", 16),
        (f"{K3}/unet3d.keras", f"{K3}:unet3d", "multilabel", None),
        (f"{K3}/unet3d_legacy.h5", f"{K3}:unet3d", "multilabel", None),
        (f"{K3}/unet3d.weights.h5", f"{K3}:unet3d", "multilabel", None),
    ],
)
def test_genuine_files_give_what_keras_gave(
    file: str, io: str, task: str, halo: int | None, tmp_path: Path
) -> None:
    """Probabilities within 5e-6; a model folder of ours gives the same again."""
    folder, _, name = io.partition(":")
    end = f"_{name}.npz" if name else ".npz"
    x, y = ref.arrays(f"{folder}/input{end}")["x"], ref.arrays(f"{folder}/output{end}")["y"]
    model = open_model(ref.folder() / file)
    assert (model.card.task, model.card.halo) == (task, halo)
    assert model.card.out_channels == y.shape[-1]
    assert ref.largest(ref.probabilities(model, x), y) < 5e-6
    stored = open_model(save_model(model, tmp_path / "again"))
    assert stored.card.architecture == "keras"
    np.testing.assert_array_equal(ref.probabilities(stored, x), ref.probabilities(model, x))


def test_scaling_inside_the_network_is_not_done_twice() -> None:
    """A Rescaling layer comes first, so the card adds no preprocessing."""
    card = open_model(ref.folder() / K3 / "unet.keras").card
    assert card.preprocessing == ()
    assert card.sources["preprocessing"] == "file"
    assert card.sources["activation"] == "file"
    assert "classes" in card.missing


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (
            "formats/keras2_lambda/unet_lambda_benign.h5",
            r"'lambda' is a Lambda: .* not run.* numbers in it 255;.*x / 255.*lambda=divide255",
        ),
        ("formats/keras2_3d/unet3d_weights_only.h5", "without the network they belong to"),
        ("formats/tf1_checkpoint", r"14 variables, first unet/conv1a/bias.*convert_tensorflow"),
        ("formats/keras2_2d/tf2_weights_checkpoint", r"14 layers .* not known.*to_json"),
    ],
)
def test_what_cannot_be_opened_is_named(file: str, words: str, tmp_path: Path) -> None:
    """With what was seen and what to do."""
    path = ref.folder() / file
    if path.is_file():  # alone, without the files beside it
        copy = tmp_path / path.name
        copy.write_bytes(path.read_bytes())
        path = copy
    with pytest.raises(ModelError, match=words):
        open_model(path)
