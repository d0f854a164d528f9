"""The mean of models for the same classes, and the map of where they disagree."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_models import image_of, make

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.core.errors import ModelError
from napari_defectseg.inference.engines.exact import ExactEngine
from napari_defectseg.inference.predict import predict
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.models.ensemble import EnsembleModel, combine_models
from napari_defectseg.models.model import TorchModel
from napari_defectseg.models.preprocess import Normalise

SETTINGS = PredictSettings(device="cpu", threads=1)


def one(number: int, names: tuple[str, ...] = ("void", "loop"), **fields: Any) -> TorchModel:
    model = make(2, ((4, 6, 8), (5, 6), (6,))[number], classes=ClassMap.of(names), **fields)
    return model.with_card(model.card.replaced(name=f"model {number + 1}"))


@pytest.fixture(scope="module")
def parts() -> list[TorchModel]:
    zscore = (Normalise(method="zscore", scope="slice"),)
    return [
        one(0, thresholds={"void": 0.4, "loop": 0.3}, min_size=5),
        one(1, ("loop", "void"), preprocessing=zscore, thresholds={"void": 0.6}),
        one(2, preprocessing=(Normalise(method="divide", scope="constant"),)),
    ]


def alone(parts: list[TorchModel], image: Any) -> np.ndarray[Any, Any]:
    """Scores of each by itself, classes in the order of the first."""
    order = [[0, 1, 2], [0, 2, 1], [0, 1, 2]]
    return np.stack(
        [predict(m, image, SETTINGS).scores[o] for m, o in zip(parts, order, strict=True)]
    )


@pytest.mark.parametrize("shape", [((53, 70), "yx"), ((3, 24, 20), "tyx"), ((40, 30, 3), "yxc")])
def test_scores_are_the_mean_and_the_map_is_the_standard_deviation(
    parts: list[TorchModel], shape: tuple[tuple[int, ...], str]
) -> None:
    """Classes in another order, other grey values, other grids; a movie; colours."""
    image = image_of(*shape)
    each = alone(parts, image)
    found = predict(EnsembleModel(parts), image, SETTINGS)
    np.testing.assert_allclose(found.scores, each.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(np.sum(found.scores, axis=0), 1, atol=1e-5)
    assert found.disagreement is not None
    np.testing.assert_allclose(found.disagreement, each.std(axis=0).max(axis=0), atol=1e-6)
    assert found.task == "exclusive"
    assert found.classes.names == ("void", "loop")
    assert found.plan["combine"] == "ensemble"
    assert [plan["model"] for plan in found.plan["models"]] == ["model 1", "model 2", "model 3"]


def test_models_of_one_file_agree_everywhere(parts: list[TorchModel]) -> None:
    image = image_of((20, 24), "yx")
    found = predict(EnsembleModel([parts[0], parts[0]]), image, SETTINGS)
    np.testing.assert_array_equal(found.disagreement, np.zeros((20, 24), np.float32))
    np.testing.assert_array_equal(found.scores, predict(parts[0], image, SETTINGS).scores)


def test_what_lies_on_the_disk_is_the_same(parts: list[TorchModel], tmp_path: Path) -> None:
    image = image_of((40, 48), "yx")
    wanted = predict(EnsembleModel(parts), image, SETTINGS)
    stored = predict(
        EnsembleModel(parts),
        image,
        PredictSettings(
            device="cpu", threads=1, scores_path=str(tmp_path / "s.zarr"), memory=10**6
        ),
    )
    np.testing.assert_allclose(np.asarray(stored.scores[:]), wanted.scores, atol=1e-5)
    assert stored.disagreement is not None
    found = np.asarray(stored.disagreement[:])
    np.testing.assert_allclose(found, wanted.disagreement, atol=1e-5)


def test_the_map_goes_to_the_disk_where_the_scores_do(
    parts: list[TorchModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    from napari_defectseg.inference import scores

    image = image_of((40, 48), "yx")
    wanted = predict(EnsembleModel(parts), image, SETTINGS)
    monkeypatch.setattr(scores, "on_disk", lambda job, held=0: True)
    found = predict(EnsembleModel(parts), image, SETTINGS)
    assert not isinstance(found.scores, np.ndarray)
    assert found.disagreement is not None
    assert not isinstance(found.disagreement, np.ndarray)
    assert found.disagreement.shape == (40, 48)
    np.testing.assert_array_equal(np.asarray(found.disagreement[:]), wanted.disagreement)


def test_a_model_that_comes_again_in_smaller_tiles_counts_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Memory ends after the first of its tiles: what it gave is not taken twice."""
    models = [one(0), one(1)]
    image = image_of((200, 160), "yx")
    settings = PredictSettings(device="cpu", threads=1, tile=144)
    wanted = predict(EnsembleModel(models), image, settings)
    begin, seen = ExactEngine.__init__, []

    def init(self: ExactEngine, network: torch.nn.Module, *rest: Any) -> None:
        def checked(x: torch.Tensor) -> torch.Tensor:
            seen.append(math.prod(x.shape[2:]))
            if len(seen) == 2:
                raise torch.OutOfMemoryError("CUDA out of memory")
            result: torch.Tensor = network(x)
            return result

        begin(self, checked, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(ExactEngine, "__init__", init)
    found = predict(EnsembleModel(models), image, settings)
    assert "Smaller tiles were used" in " ".join(found.warnings)
    np.testing.assert_allclose(found.scores, wanted.scores, atol=1e-5)
    assert found.disagreement is not None
    np.testing.assert_allclose(found.disagreement, wanted.disagreement, atol=1e-5)


def test_the_card_keeps_what_all_of_them_say(parts: list[TorchModel]) -> None:
    card = EnsembleModel(parts[:2]).card
    assert card.thresholds == {"void": 0.5}
    assert card.min_size == 0
    assert (card.architecture, card.task) == ("ensemble", "exclusive")
    assert card.parameters == sum(part.card.parameters for part in parts[:2])


def test_other_classes_or_another_kind_are_refused_with_what_to_do(parts: list[TorchModel]) -> None:
    with pytest.raises(ModelError, match=r"the same classes.*--combine join"):
        EnsembleModel([parts[0], one(1, ("void", "crack"))])
    several = one(1, ("void", "loop"), task="exclusive", has_background=False)
    EnsembleModel([parts[0], several])
    overlapping = make(
        2,
        (4,),
        classes=ClassMap.of(["void", "loop"], exclusive=False),
        task="multilabel",
        activation="sigmoid",
    )
    with pytest.raises(ModelError, match=r"'exclusive'.*'multilabel'"):
        EnsembleModel([parts[0], overlapping])


def test_joining_models_with_one_class_names_the_other_way(parts: list[TorchModel]) -> None:
    with pytest.raises(ModelError, match=r"both have a class 'loop'.*--combine ensemble"):
        combine_models(parts, "join")
    assert combine_models(parts[:1], "ensemble") is parts[0]
    with pytest.raises(ModelError, match="put beside another"):
        combine_models([EnsembleModel(parts), parts[0]], "ensemble")
