"""One undo over everything, never stale."""

from __future__ import annotations

import edit_script
import numpy as np
import pytest
from label_cases import check_whole, disc, map_of, state

from napari_defectseg.core.errors import LabelError
from napari_defectseg.labels.history import History
from napari_defectseg.labels.protect import redecode
from napari_defectseg.labels.restore import restore
from napari_defectseg.labels.tools.delete import delete
from napari_defectseg.labels.tools.merge import merge


def three_discs():
    mask = np.zeros((40, 40), np.uint8)
    for centre in ((8, 8), (8, 30), (30, 20)):
        mask[disc(mask.shape, centre, 5)] = 1
    return map_of(mask)


def test_undo_and_redo_walk_through_all_states():
    history = History(three_discs(), who="ada")
    states = [state(history.labelmap)]
    history.push(merge(history.labelmap, [1, 2]))
    states.append(state(history.labelmap))
    history.push(delete(history.labelmap, 3))
    states.append(state(history.labelmap))
    assert history.undo_names == ("delete", "merge")
    assert (history.undo_name, history.redo_name) == ("delete", "")
    for expected in reversed(states[:-1]):
        history.undo()
        assert state(history.labelmap) == expected
    assert not history.can_undo
    assert history.undo() is None
    for expected in states[1:]:
        history.redo()
        assert state(history.labelmap) == expected
    assert history.redo() is None
    assert all(edit.person == "ada" and edit.when for edit in history.entries)


def test_a_new_edit_ends_what_could_be_done_again():
    history = History(three_discs())
    history.push(delete(history.labelmap, 1))
    history.undo()
    history.push(delete(history.labelmap, 2))
    assert not history.can_redo


def test_an_edit_for_another_state_is_refused_and_changes_nothing():
    history = History(three_discs())
    stale = delete(history.labelmap, 1)
    history.push(delete(history.labelmap, 1))
    before = state(history.labelmap)
    with pytest.raises(LabelError, match="another state"):
        history.push(stale)
    assert state(history.labelmap) == before
    assert len(history.entries) == 1


def test_a_model_run_is_one_edit_and_undo_brings_back_what_was_drawn():
    history = History(three_discs())
    history.push(merge(history.labelmap, [1, 2]))
    drawn = state(history.labelmap)
    new = map_of(np.pad(np.full((20, 20), 2, np.uint8), 10))
    history.replace(new, "prediction")
    assert state(history.labelmap) == state(new)
    check_whole(history.labelmap)
    history.undo()
    assert state(history.labelmap) == drawn
    history.undo()
    assert state(history.labelmap) == state(three_discs())


def test_a_slider_that_moves_often_is_one_step_back():
    history = History(three_discs())
    start = state(history.labelmap)
    for size in (5, 6, 7):
        history.replace(
            map_of(np.pad(np.ones((size, 4), np.uint8), 18)[:40, :40]), "threshold", fold=True
        )
    assert history.undo_names == ("threshold",)
    history.undo()
    assert state(history.labelmap) == start


def test_another_shape_cannot_replace_a_map():
    history = History(three_discs())
    with pytest.raises(LabelError, match="cannot replace"):
        history.replace(map_of(np.ones((4, 4))), "prediction")


def test_large_edits_are_held_small():
    rng = np.random.default_rng(0)
    mask = np.kron(rng.random((64, 64)) < 0.3, np.ones((16, 16))).astype(np.uint8)
    history = History(map_of(np.zeros((1024, 1024))))
    history.replace(map_of(mask), "prediction")
    history.push(delete(history.labelmap, 1))
    edit = history.entries[0]
    held = sum(len(change.blob) for change in edit.changes)
    assert held < mask.size / 20


def test_listeners_hear_every_step():
    history = History(three_discs())
    heard = []
    history.listeners.append(heard.append)
    history.push(delete(history.labelmap, 1))
    history.undo()
    history.redo()
    assert [sorted(edit.objects) for edit in heard] == [[1], [1], [1]]
    assert heard[1].classes_after == {1: 1}


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_done_undo_goes_all_the_way_back(tmp_path, seed):
    """Tools, predictions, thresholds, undo and redo at random; each depth is the state it was."""
    history = edit_script.start(seed, tmp_path)
    rng = np.random.default_rng(seed)
    seen = {0: state(history.labelmap)}
    for _ in range(60):
        before = len(history.entries)
        if rng.random() < 0.2:
            fold = bool(rng.random() < 0.5)
            redecode(history, edit_script.random_map(rng), "threshold", fold=fold)
        else:
            edit_script.one_step(history, rng)
        depth = len(history.entries)
        if depth < before:
            assert state(history.labelmap) == seen[depth]
        seen[depth] = state(history.labelmap)
        check_whole(history.labelmap)
    while history.can_undo:
        history.undo()
        assert state(history.labelmap) == seen[len(history.entries)]
        check_whole(history.labelmap)
    history.journal.close()
    again, sentence = restore(history.journal.folder, attach=False)
    assert state(again.labelmap) == seen[0]
    assert "nothing is missing" in sentence
