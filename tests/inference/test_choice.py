"""The fast mode: what is chosen, what is measured of it, what is said, what is remembered."""

from __future__ import annotations

import json
import math
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_models import image_of, make

from napari_defectseg.core.errors import ModelError
from napari_defectseg.inference import choice, trials, ways
from napari_defectseg.inference.agreement import Agreement, bound_of, compared, percent, pieces_of
from napari_defectseg.inference.forecast import forecast
from napari_defectseg.inference.job import prepare
from napari_defectseg.inference.pace import forget
from napari_defectseg.inference.predict import predict
from napari_defectseg.inference.settings import PredictSettings
from napari_defectseg.inference.trials import Pace, Trial
from napari_defectseg.inference.ways import EXACT, Way
from napari_defectseg.models.joined import JoinedModel

FAST = PredictSettings(mode="fast", device="cpu")
HALF = Way("torch", "bfloat16")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """A user's cache of its own, and a processor with bfloat16 but without OpenVINO."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True})
    monkeypatch.setattr(ways, "has_openvino", lambda: False)
    monkeypatch.setattr(ways, "has_compiler", lambda: False)
    return tmp_path / "napari-defectseg" / "engines"


@pytest.fixture
def paced(monkeypatch):
    """Times as they were said instead of measured; what was timed is noted."""
    asked: list[str] = []
    seconds = {"torch-float32": 2e-6, "torch-bfloat16": 1e-6}

    def timed(job, way):
        asked.append(way.name)
        return Pace(seconds[way.name])

    monkeypatch.setattr(choice, "timed", timed)
    timed.asked, timed.seconds = asked, seconds
    return timed


def lenient(model, bound=0.5):
    return model.with_card(model.card.replaced(fast_agreement=bound))


def test_fast_takes_the_fastest_engine_and_says_what_it_measured(plane_model, paced) -> None:
    image = image_of((200, 180), "yx")
    found = predict(lenient(plane_model), image, FAST)
    assert found.plan["engine"] == "torch bfloat16"
    assert found.plan["dtype"] == "bfloat16"
    error = found.plan["error"]
    assert 0 < error["max"] < 0.1
    assert 0.5 < error["agreement"] <= 1
    assert error["pixels"] == 128 * 128
    assert found.provenance.settings["plan"]["error"] == error
    assert found.warnings[-1].startswith("Computed by torch bfloat16: probabilities differ from")
    exact = predict(plane_model, image)
    assert np.abs(found.scores - exact.scores).max() < 0.1
    assert found.scores.dtype == np.float32


def test_an_engine_below_the_bound_is_not_chosen_silently(plane_model, paced) -> None:
    """Falls back to the exact engine, with a sentence that has the numbers."""
    image = image_of((60, 60), "yx")
    found = predict(lenient(plane_model, 1.0), image, FAST)
    if found.plan["engine"] == "torch bfloat16":  # not one pixel changed its class
        assert found.plan["error"]["agreement"] == 1
        return
    assert found.plan["engine"] == "torch float32"
    assert "error" not in found.plan
    assert "torch bfloat16 was not used: probabilities differ" in found.warnings[-1]
    np.testing.assert_array_equal(found.scores, predict(plane_model, image).scores)


def test_below_the_bound_the_next_engine_is_looked_at(plane_model, monkeypatch, paced) -> None:
    said = iter([0.98, 0.9995])
    monkeypatch.setattr(
        ways, "ways_for", lambda model, device: (EXACT, HALF, Way("torch", "float16"))
    )
    monkeypatch.setattr(choice, "ways_for", ways.ways_for)
    monkeypatch.setattr(choice, "compared", lambda *_: Agreement(0.01, next(said), 9, 0.999))
    paced.seconds["torch-float16"] = 1.5e-6
    found = predict(plane_model, image_of((40, 40), "yx"), FAST)
    assert found.plan["engine"] == "torch float16"
    first, second = found.warnings[-2:]
    assert "torch bfloat16 was not used" in first
    assert "98.000 %" in first
    assert "this model asks for 99.900 %" in first
    assert "Computed by torch float16" in second


def test_one_that_was_asked_for_goes_on_and_says_it(plane_model) -> None:
    model = lenient(plane_model, 1.0)
    found = predict(model, image_of((60, 60), "yx"), PredictSettings(engine="torch-bfloat16"))
    assert found.plan["engine"] == "torch bfloat16"
    assert "Computed by torch bfloat16" in found.warnings[-1]
    if found.plan["error"]["agreement"] < 1:
        assert "this model asks for 100 %" in found.warnings[-1]


@pytest.mark.parametrize(("bound", "engine"), [(None, "torch float32"), (0.5, "torch bfloat16")])
def test_auto_stays_exact_unless_the_card_allows_more(plane_model, paced, bound, engine) -> None:
    model = lenient(plane_model, bound)
    found = predict(model, image_of((50, 50), "yx"), PredictSettings(device="cpu"))
    assert found.plan["engine"] == engine
    assert bound_of(model.card) == (bound or 0.999)
    exact = predict(model, image_of((50, 50), "yx"), PredictSettings(mode="exact"))
    assert exact.plan["engine"] == "torch float32"


def test_where_nothing_is_faster_it_stays_exact_and_that_is_said(plane_model, paced) -> None:
    paced.seconds["torch-bfloat16"] = 9e-6
    found = predict(plane_model, image_of((50, 50), "yx"), FAST)
    assert found.plan["engine"] == "torch float32"
    assert "No engine here is faster with this model." in found.warnings[-1]


def test_times_are_remembered_by_model_shape_and_machine(plane_model, paced, cache) -> None:
    """Another image of the same size is not timed again; another network, size or machine is."""
    model = lenient(plane_model)
    predict(model, image_of((90, 90), "yx"), FAST)
    assert paced.asked == ["torch-float32", "torch-bfloat16"]
    predict(model, image_of((90, 90), "yx", seed=3), FAST)
    assert len(paced.asked) == 2
    predict(model, image_of((50, 90), "yx"), FAST)
    assert len(paced.asked) == 4
    predict(lenient(make(2, (4, 6))), image_of((90, 90), "yx"), FAST)
    assert len(paced.asked) == 6
    predict(model, image_of((90, 90), "yx"), PredictSettings(mode="fast", threads=3))
    assert len(paced.asked) == 8
    assert len(list(cache.glob("*.json"))) == 4


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"seconds": 3}', '{"seconds": {"torch-float32": -1.0}}', "[" * 100_000,
     '{"seconds": {"torch-float32": [0.0, 0.0]}}', "x" * 70_000],
)  # fmt: skip
def test_a_damaged_memory_is_ignored_with_a_sentence(plane_model, paced, cache, text) -> None:
    model, image = lenient(plane_model), image_of((40, 40), "yx")
    predict(model, image, FAST)
    (file,) = cache.glob("*.json")
    file.write_text(text)
    found = predict(model, image, FAST)
    assert any("could not be read" in one and file.name in one for one in found.warnings)
    assert set(json.loads(file.read_text())["seconds"]) == {"torch-float32", "torch-bfloat16"}
    assert not any("could not be read" in one for one in predict(model, image, FAST).warnings)


def test_a_cache_that_cannot_be_written_stops_nothing(plane_model, paced, cache) -> None:
    cache.parent.mkdir()
    cache.write_text("a file where a folder should be")
    found = predict(lenient(plane_model), image_of((40, 40), "yx"), FAST)
    assert found.plan["engine"] == "torch bfloat16"


def test_an_engine_that_fails_is_timed_once_and_left(plane_model, monkeypatch, cache) -> None:
    asked = []

    @contextmanager
    def engine(job, *, kept=0):
        asked.append(job.way.name)
        if job.way == HALF:
            raise ModelError("It fails.")
        with real(job, kept=kept) as made:
            yield made

    real = trials.engine_for
    monkeypatch.setattr(trials, "engine_for", engine)
    for _ in range(2):
        found = predict(plane_model, image_of((40, 40), "yx"), FAST)
        assert found.plan["engine"] == "torch float32"
    assert asked == ["torch-float32", "torch-bfloat16"]


def test_getting_ready_counts_only_until_it_is_made() -> None:
    slow, quick = Pace(2e-6), Pace(1e-6, ready=1.0)
    assert slow.total(10**5) < quick.total(10**5)
    assert quick.total(10**5, made=True) < slow.total(10**5)
    assert quick.total(10**7) < slow.total(10**7)
    known = Trial().with_pace(Way("openvino"), Pace(1.0, 5.0))
    both = known.with_pace(Way("openvino", "bfloat16"), Pace(1.0, 0.1))
    assert both.paces["openvino-bfloat16"].ready == 5.0


@pytest.mark.parametrize(("pixel", "compiled"), [(1e-2, True), (1e-9, False)])
def test_compiling_is_tried_only_where_the_run_is_long(
    plane_model, monkeypatch, paced, pixel, compiled
) -> None:
    monkeypatch.setattr(ways, "has_compiler", lambda: True)
    paced.seconds |= {"torch-float32": pixel, "torch-bfloat16": pixel}
    paced.seconds |= {"compiled-float32": pixel / 2, "compiled-bfloat16": pixel / 4}
    made = []
    monkeypatch.setattr(torch, "compile", lambda network, **_: made.append(1) or network)
    found = predict(lenient(plane_model), image_of((400, 400), "yx"), FAST)
    assert ("compiled-bfloat16" in paced.asked) == compiled
    assert (found.plan["engine"] == "compiled bfloat16") == compiled
    assert len(made) == compiled  # once: measuring and predicting share it


def test_the_forecast_goes_by_what_will_be_chosen(plane_model, paced) -> None:
    forget()
    model, image = lenient(plane_model), image_of((300, 300), "yx")
    before = forecast(model, image, FAST)
    assert before.seconds is None
    predict(model, image_of((300, 300), "yx", seed=5), FAST)
    forget()
    assert forecast(model, image, FAST).seconds == pytest.approx(1e-6 * 300 * 300)


def test_several_models_choose_one_by_one(plane_model, paced) -> None:
    from napari_defectseg.core.classes import ClassMap

    other = make(2, classes=ClassMap.of(["pore", "crack"]))
    joined = JoinedModel([lenient(plane_model), other.with_card(other.card)])
    found = predict(joined, image_of((40, 40), "yx"), FAST)
    engines = [one["engine"] for one in found.plan["models"]]
    assert engines[0] == "torch bfloat16"
    assert engines[1] in ("torch bfloat16", "torch float32")


def test_volumes_are_measured_on_a_piece_of_them(volume_model, paced) -> None:
    found = predict(lenient(volume_model), image_of((20, 40, 70), "zyx"), FAST)
    assert found.plan["engine"] == "torch bfloat16"
    assert found.plan["error"]["pixels"] == 20 * 32 * 32


@given(
    shape=st.tuples(st.integers(1, 700), st.integers(1, 700)),
    slices=st.integers(1, 5),
)
@settings(max_examples=25, deadline=None)
def test_pieces_lie_in_the_image_and_are_few(shape, slices) -> None:
    image = image_of((slices, *shape), "zyx")
    job = prepare(MODEL, image, PredictSettings())
    pieces = pieces_of(job)
    seen = sum(piece[0].size for piece in pieces)
    assert 1 <= len(pieces) <= 4
    assert seen <= max(slices * shape[0] * shape[1] / 50, 128 * 128)
    for piece in pieces:
        assert all(n % MODEL.card.grid == 0 for n in piece.shape[1:])


MODEL = make(2)


def test_classes_are_those_a_person_gets(plane_model) -> None:
    rng = np.random.default_rng(0)
    first = rng.dirichlet([1, 1, 1], (20, 20)).transpose(2, 0, 1).astype(np.float32)
    second = first.copy()
    second[:, :2] = np.roll(first[:, :2], 1, axis=0)  # other classes in two of twenty rows
    found = compared([first], [second], plane_model.card)
    assert found.same == pytest.approx(0.9)
    assert found.error == pytest.approx(float(np.abs(first - second).max()))
    assert not found.sound
    broken = compared([first], [np.full_like(first, np.nan)], plane_model.card)
    assert broken.error == math.inf
    assert not broken.sound
    assert broken.as_dict()["max"] is None


@given(st.floats(0, 1))
def test_a_part_is_never_rounded_up_to_all(part) -> None:
    assert (percent(part) == "100 %") == (part == 1)
