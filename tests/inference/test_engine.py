"""The exact engine: folded and kept memory change nothing but time."""

from __future__ import annotations

import copy
import threading
from typing import Any

import numpy as np
import pytest
import torch
from small_models import image_of, make

from napari_defectseg.core.errors import ModelError
from napari_defectseg.inference import allocator
from napari_defectseg.inference.engines.exact import exact_engine
from napari_defectseg.inference.folding import fold_normalisation
from napari_defectseg.inference.forecast import forecast
from napari_defectseg.inference.memory import bytes_per_pixel, default_budget, machine_memory
from napari_defectseg.inference.predict import predict
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.models.model import TorchModel


@pytest.mark.parametrize("dims", [2, 3])
def test_folding_takes_every_normalisation_away_and_keeps_the_function(dims: int) -> None:
    network = make(dims, (4, 6)).network()
    folded = fold_normalisation(copy.deepcopy(network))
    kinds = {type(module) for module in folded.modules()}
    assert not kinds & {torch.nn.BatchNorm2d, torch.nn.BatchNorm3d}
    x = torch.rand(1, 1, *(16,) * dims)
    torch.testing.assert_close(folded(x), network(x), atol=1e-5, rtol=1e-5)
    assert any(
        isinstance(m, torch.nn.BatchNorm2d | torch.nn.BatchNorm3d) for m in network.modules()
    )


def test_what_measures_each_image_is_not_folded() -> None:
    network = torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2, track_running_stats=False)
    ).eval()
    fold_normalisation(network)
    assert isinstance(network[1], torch.nn.BatchNorm2d)
    instance = make(2, norm="instance").network()
    assert fold_normalisation(copy.deepcopy(instance)).state_dict().keys() == (
        instance.state_dict().keys()
    )


def test_scores_are_those_of_the_plain_network(plane_model: TorchModel) -> None:
    image = image_of((64, 48), "yx")
    found = predict(plane_model, image)
    chain = plane_model.card.preprocessing[0].fit(image.read()[None])
    x = torch.from_numpy(chain.apply(image.read()[None]))[None]
    with torch.inference_mode():
        plain = torch.softmax(plane_model.network()(x), dim=1)[0].numpy()
    np.testing.assert_allclose(found.scores, plain, atol=1e-5)


def test_settings_of_torch_and_the_models_network_are_put_back(plane_model: TorchModel) -> None:
    threads = torch.get_num_threads()
    before = {n: t.clone() for n, t in plane_model.network().state_dict().items()}
    with pytest.raises(RuntimeError), exact_engine(plane_model, "cpu", 1) as engine:
        assert engine.threads == 1
        raise RuntimeError
    assert torch.get_num_threads() == threads
    for name, tensor in plane_model.network().state_dict().items():
        assert torch.equal(tensor, before[name])


def test_a_card_that_promises_another_number_of_classes_is_found_out(
    plane_model: TorchModel,
) -> None:
    from napari_defectseg.core.classes import ClassMap

    card = plane_model.card.replaced(classes=ClassMap.of(["a", "b", "c"]))
    with pytest.raises(ModelError, match=r"gave \(1, 3, .* promises \(1, 4"):
        predict(plane_model.with_card(card), image_of((20, 20), "yx"))


class FakeLibrary:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.values: dict[int, int] = {}
        self.trims = 0

    def mallopt(self, parameter: int, value: int) -> None:
        self.values[parameter] = value

    def malloc_trim(self, pad: int) -> None:
        self.trims += 1


def test_memory_is_kept_until_the_last_run_ends(monkeypatch: Any) -> None:
    library = FakeLibrary()
    monkeypatch.setattr(allocator, "_glibc", lambda: library)
    first, second = allocator.kept_memory(1 << 40), allocator.kept_memory(1 << 40)
    with first:
        assert library.values == dict(allocator.KEEP)
        with pytest.raises(ValueError, match="stop"), second:
            raise ValueError("stop")
        assert library.values == dict(allocator.KEEP)
        assert library.trims == 0
    assert library.values == dict(allocator.USUAL)
    assert library.trims == 1


def test_what_is_kept_is_given_back_beyond_the_limit(monkeypatch: Any) -> None:
    library = FakeLibrary()
    monkeypatch.setattr(allocator, "_glibc", lambda: library)
    grown = iter([1000, 1050, 1101, 1100])
    monkeypatch.setattr(allocator, "_resident", lambda: next(grown))
    with allocator.kept_memory(100) as keeper:
        keeper.tidy()
        assert library.trims == 0
        keeper.tidy()
        assert library.trims == 1
        keeper.tidy()
        assert library.trims == 1


def test_memory_is_kept_only_where_there_is_plenty(
    plane_model: TorchModel, monkeypatch: Any
) -> None:
    library = FakeLibrary()
    monkeypatch.setattr(allocator, "_glibc", lambda: library)
    image = image_of((64, 64), "yx")
    predict(plane_model, image)
    assert library.trims == 1
    assert library.values == dict(allocator.USUAL)
    library.values.clear()
    need = forecast(plane_model, image).memory
    predict(plane_model, image, PredictSettings(memory=need))
    assert library.values == {}


def test_other_c_libraries_are_left_alone(monkeypatch: Any) -> None:
    monkeypatch.setattr(allocator, "_glibc", lambda: None)
    with allocator.kept_memory(1) as keeper:
        keeper.tidy()


def test_runs_in_several_threads_at_once_give_the_same(plane_model: TorchModel) -> None:
    image = image_of((150, 130), "yx")
    wanted = predict(plane_model, image, PredictSettings(threads=1)).scores
    found: list[Any] = []

    def work() -> None:
        found.append(predict(plane_model, image, PredictSettings(threads=1)).scores)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 3
    for scores in found:
        np.testing.assert_array_equal(scores, wanted)


def test_memory_is_estimated_from_the_layers_and_the_budget_from_the_machine() -> None:
    small, large = make(2, (4, 8)), make(2, (8, 16))
    need = [bytes_per_pixel(m.network(), 2, 1, 2) for m in (small, large)]
    assert need[0] > 4 * (4 + 4)  # input and output of one convolution, float32
    assert need[1] > 1.5 * need[0]
    assert 0 < default_budget() <= machine_memory() // 4
