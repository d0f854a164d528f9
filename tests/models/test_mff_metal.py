"""MFF-Metal: the published numbers, counts and files, at every width."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from published import check_logits, filled, reference, run, ten_steps

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.architecture import ARCHITECTURES
from napari_defectseg.models.open import open_model

NETWORK = ARCHITECTURES.get("mff_metal")
COUNTS = {
    (6, 12, 18, 24): 45_400,
    (12, 24, 36, 48): 165_598,
    (30, 60, 90, 120): 981_580,
    (60, 120, 180, 240): 3_862_990,
    (90, 180, 270, 360): 8_642_740,
    (120, 240, 360, 480): 15_326_350,
    (180, 360, 540, 720): 34_390_390,
}


@pytest.mark.parametrize("widths", COUNTS, ids=str)
def test_it_has_as_many_parameters_as_the_published_code(widths: tuple[int, ...]) -> None:
    assert NETWORK.facts({"widths": widths})["parameters"] == COUNTS[widths]


def test_the_variant_for_cracks_has_its_count() -> None:
    assert NETWORK.facts({"out_channels": 2})["parameters"] == 981_000


VARIANTS = ["narrow_w6", "student_w30", "student_w30_200", "road_w12_c2", "teacher_w180"]


@pytest.mark.parametrize("variant", VARIANTS)
def test_it_gives_the_numbers_of_the_published_code(variant: str) -> None:
    """Logits of both cases within 1e-4, winners equal; settings read from the tensors alone."""
    folder = reference(f"mff_metal/{variant}")
    state = filled(folder)
    layout = json.loads((folder / "layout.json").read_text())
    settings = NETWORK.recognise({name: tuple(t.shape) for name, t in state.items()})
    assert settings is not None
    assert settings["widths"] == layout["arguments"]["channel"]
    assert settings["out_channels"] == layout["arguments"]["classes"]
    network = NETWORK.build(settings).eval()
    assert list(network.state_dict()) == list(state)
    network.load_state_dict(state)
    given, wanted = np.load(folder / "input.npz"), np.load(folder / "output.npz")
    for name in wanted.files:
        if name.endswith("_logits"):
            check_logits(run(network, given[f"{name[0]}_x"]), wanted[name])


def test_inner_layers_are_those_of_the_published_code() -> None:
    folder = reference("mff_metal/narrow_w6")
    network = NETWORK.build({"widths": (6, 12, 18, 24)}).eval()
    network.load_state_dict(filled(folder))
    wanted = np.load(folder / "output.npz")
    seen: dict[str, np.ndarray] = {}
    for name in ("Init_Block", "FFM_B0", "FFM_B1", "FFM_B2", "MAD"):
        network.get_submodule(name).register_forward_hook(
            lambda _, __, out, name=name: seen.update({name: out})
        )
    run(network, np.load(folder / "input.npz")["a_x"])
    seen.update(zip(("o48", "o24", "gp"), seen.pop("MAD"), strict=True))
    for name, out in seen.items():
        np.testing.assert_allclose(out, wanted[f"a_{name}"], atol=1e-4, rtol=1e-4, err_msg=name)


FILES = ["plain", "dataparallel", "checkpoint", "legacy"]


@pytest.mark.parametrize("kind", FILES)
def test_original_files_open_with_the_authors_card(kind: str) -> None:
    folder = reference("mff_metal/narrow_w6")
    model = open_model(folder / f"weights_{kind}.pth")
    card = model.card
    assert (card.architecture, card.out_channels, card.in_channels) == ("mff_metal", 4, 3)
    assert card.classes.names == ("inclusion", "patch", "scratch")
    assert card.sources["classes"] == "guess"
    assert card.sources["preprocessing"] == "card"
    assert card.missing == ("classes", "pixel_size")
    given, wanted = np.load(folder / "input.npz"), np.load(folder / "output.npz")
    check_logits(run(model.network(), given["a_x"]), wanted["a_logits"])


@pytest.mark.parametrize("case", ["a", "b"])
def test_preprocessing_of_the_card_gives_the_authors_input(case: str) -> None:
    from napari_defectseg.models.preprocess import fit_chain

    folder = reference("mff_metal/narrow_w6")
    steps = open_model(folder / "weights_plain.pth").card.preprocessing
    given = np.load(folder / "input.npz")
    image = given[f"{case}_image"].transpose(2, 0, 1)
    found = fit_chain(steps, image).apply(image)
    np.testing.assert_allclose(found, given[f"{case}_x"][0], atol=2e-6)


def test_ten_steps_of_training_lower_the_loss() -> None:
    network = NETWORK.build({"widths": (6, 12, 18, 24)})
    y = torch.zeros(2, 32, 32, dtype=torch.long)
    y[:, 8:20, 8:20] = 1
    losses = ten_steps(network, 3, lambda z: torch.nn.functional.cross_entropy(z, y))
    assert losses[-1] < 0.8 * losses[0]


def test_widths_that_the_bottlenecks_cannot_split_are_refused() -> None:
    for settings in ({"widths": (4, 8, 12, 16)}, {"widths": (6, 12)}, {"blocks": (3, 2, 6)}):
        with pytest.raises(ModelError, match="MFF-Metal"):
            NETWORK.build(settings)
