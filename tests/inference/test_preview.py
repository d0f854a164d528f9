"""A preview shows what the whole image will show there, and what was computed is not done again."""

from __future__ import annotations

from contextlib import closing

import numpy as np
import pytest
from small_models import image_of, make

from napari_defectseg.core.classes import ClassMap
from napari_defectseg.inference import preview
from napari_defectseg.inference.predict import predict
from napari_defectseg.inference.preview import ALONE, Previewer
from napari_defectseg.models.ensemble import combine_models

CLOSE = {"atol": 1e-5}


@pytest.fixture(autouse=True)
def small(monkeypatch) -> None:
    monkeypatch.setattr(preview, "FIRST", {2: 32, 3: 8})


def shown(previewer, box):
    """Return the last prediction and how many came before it."""
    count, steps = 0, previewer.steps(box)
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            return end.value, count
        count += step.partial is not None


def box_of(*sides):
    return tuple(slice(*side) for side in sides)


@pytest.mark.parametrize(
    "sides", [((20, 140), (5, 130)), ((0, 160), (0, 150)), ((150, 160), (3, 9))]
)
def test_it_is_what_the_whole_image_gives_there(sides) -> None:
    model, image = make(2), image_of((160, 150), "yx")
    whole = predict(model, image)
    box = box_of(*sides)
    found, _ = shown(Previewer(model, image), box)
    assert found.box == box
    np.testing.assert_allclose(found.scores, whole.scores[(slice(None), *box)], **CLOSE)
    part = whole.labels().planes[0][box] > 0
    np.testing.assert_array_equal(found.labels().planes[0] > 0, part)


@pytest.mark.parametrize("scope", ["image", "slice"])
def test_in_a_slice_of_a_stack_and_with_grey_values_measured_on_all_of_it(scope) -> None:
    model = make(2, preprocessing=({"kind": "normalise", "method": "zscore", "scope": scope},))
    image = image_of((3, 120, 110), "zyx")
    whole = predict(model, image)
    previewer = Previewer(model, image)
    for z in (1, 2):
        box = box_of((z, z + 1), (10, 100), (20, 90))
        found, _ = shown(previewer, box)
        np.testing.assert_allclose(found.scores, whole.scores[(slice(None), *box)], **CLOSE)


def test_in_a_volume() -> None:
    model, image = make(3, (3, 4, 5)), image_of((30, 50, 60), "zyx")
    box = box_of((7, 22), (10, 40), (5, 50))
    found, _ = shown(Previewer(model, image), box)
    whole = predict(model, image)
    np.testing.assert_allclose(found.scores, whole.scores[(slice(None), *box)], **CLOSE)


def test_the_middle_comes_first() -> None:
    model, image = make(2), image_of((160, 160), "yx")
    steps = Previewer(model, image).steps(box_of((0, 160), (0, 160)))
    first = next(step.partial for step in steps if step.partial is not None)
    known = first.scores.sum(axis=0) > 0
    assert known[80, 80]
    assert not known[0, 0]
    steps.close()


def test_moving_computes_only_what_is_new(monkeypatch) -> None:
    from napari_defectseg.inference.engines.exact import ExactEngine

    model, image = make(2), image_of((300, 300), "yx")
    whole, run, seen = predict(model, image), ExactEngine.run, []

    def counted(self, block):
        seen.append(block[0].size)
        return run(self, block)

    monkeypatch.setattr(ExactEngine, "run", counted)
    previewer = Previewer(model, image)
    shown(previewer, box_of((50, 200), (50, 200)))
    first = sum(seen)
    seen.clear()
    box = box_of((60, 210), (50, 200))
    found, _ = shown(previewer, box)
    assert 0 < sum(seen) < first / 2
    np.testing.assert_allclose(found.scores, whole.scores[(slice(None), *box)], **CLOSE)
    seen.clear()
    shown(previewer, box_of((70, 190), (60, 190)))
    assert not seen


def test_what_a_stopped_preview_has_computed_is_used() -> None:
    model, image = make(2), image_of((160, 160), "yx")
    whole, previewer = predict(model, image), Previewer(model, image)
    box = box_of((0, 160), (0, 160))
    with closing(previewer.steps(box)) as steps:
        partial = 0
        for step in steps:
            partial += step.partial is not None
            if partial == 2:
                break
    found, count = shown(previewer, box)
    assert count < 5
    np.testing.assert_allclose(found.scores, whole.scores, **CLOSE)


def test_several_models_beside_each_other_and_their_mean() -> None:
    image = image_of((120, 110), "yx")
    box = box_of((10, 110), (5, 90))
    ensemble = combine_models([make(2), make(2, (4, 4, 4))], "ensemble")
    joined = combine_models(
        [make(2, classes=ClassMap.of(["void"])), make(2, classes=ClassMap.of(["loop"]))], "join"
    )
    for model in (ensemble, joined):
        whole = predict(model, image)
        previewer = Previewer(model, image)
        for part in (box, box_of((20, 115), (5, 100))):
            found, _ = shown(previewer, part)
            np.testing.assert_allclose(found.scores, whole.scores[(slice(None), *part)], **CLOSE)


def test_a_network_that_looks_at_all_of_it_sees_a_small_image_and_says_so_of_a_large_one(
    monkeypatch,
) -> None:
    model, image = make(2), image_of((90, 100), "yx")
    model = model.with_card(model.card.replaced(halo=None))
    box = box_of((10, 50), (5, 60))
    found, _ = shown(Previewer(model, image), box)
    whole = predict(model, image)
    np.testing.assert_allclose(found.scores, whole.scores[(slice(None), *box)], **CLOSE)
    assert found.warnings == ()
    monkeypatch.setattr(preview, "MOST", {2: 64, 3: 32})
    found, _ = shown(Previewer(model, image), box)
    assert found.warnings == (ALONE,)
    assert found.shape == (40, 55)


def test_a_later_request_waits_for_an_earlier_one_to_end() -> None:
    previewer = Previewer(make(2), image_of((100, 100), "yx"))
    box = box_of((0, 100), (0, 100))
    first, second = previewer.steps(box), previewer.steps(box)
    next(first)
    assert "waiting" in next(second).text
    first.close()
    assert "waiting" not in next(second).text
    second.close()
