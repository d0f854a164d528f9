"""Keys are bound where the work is, change and are kept, and take nothing of napari's."""

from __future__ import annotations

import json
import weakref

import numpy as np
import pytest
from napari.components import ViewerModel
from napari.layers import Labels
from napari.utils.key_bindings import KeymapHandler, coerce_keybinding

from napari_defectseg.ui.commands import COMMANDS
from napari_defectseg.ui.key_collisions import collisions
from napari_defectseg.ui.key_table import KeyTable, KeyTaken, key_table, spelled
from napari_defectseg.ui.keys import Keys, keys_of
from napari_defectseg.ui.stage import stage_of


@pytest.fixture
def table(tmp_path) -> KeyTable:
    return KeyTable(tmp_path / "keys.json")


@pytest.fixture
def keys(viewer_model, table) -> Keys:
    return Keys(viewer_model, table)


@pytest.fixture
def layer(viewer_model) -> Labels:
    return viewer_model.add_labels(np.zeros((9, 9), np.int32))


def press(key: str, *providers) -> bool:
    """Press a key as napari does with the active layer before the viewer."""
    handler = KeymapHandler()
    handler.keymap_providers = list(providers)
    return handler.press_key(key)


def test_a_command_has_a_key_while_it_is_offered(keys, layer, viewer_model):
    done = []
    act = lambda: done.append("split")  # noqa: E731
    keys.bind_layer(layer)
    assert not press("S", layer, viewer_model)
    keys.provide("split", act)
    assert keys.offered() == ("split",)
    press("S", layer, viewer_model)
    assert done == ["split"]
    keys.withdraw("split", act)
    assert not press("S", layer, viewer_model)
    assert keys.offered() == ()


def test_layer_keys_are_silent_on_other_layers_and_queue_keys_are_not(keys, layer, viewer_model):
    done = []
    keys.bind_layer(layer)
    keys.provide("split", lambda: done.append("split"))
    keys.provide("next", lambda: done.append("next"))
    other = viewer_model.add_image(np.zeros((9, 9)))
    press("S", other, viewer_model)
    press("N", other, viewer_model)
    press("N", layer, viewer_model)
    assert done == ["next", "next"]


def test_who_offered_last_is_asked_first_and_may_pass_it_on(keys, viewer_model):
    done = []
    keys.provide("escape", lambda: done.append("first"))
    keys.provide("escape", lambda: done.append("second") or False)
    press("Escape", viewer_model)
    assert done == ["second", "first"]


def test_methods_of_what_is_gone_are_not_called(keys, viewer_model):
    class Dock:
        def act(self) -> None:
            raise AssertionError

    dock = Dock()
    keys.provide("next", dock.act)
    del dock
    press("N", viewer_model)
    assert keys.offered() == ()


def test_what_was_bound_before_comes_back(keys, viewer_model):
    done = []
    viewer_model.bind_key("N", lambda viewer: done.append("theirs"))
    act = lambda: done.append("ours")  # noqa: E731
    keys.provide("next", act)
    press("N", viewer_model)
    keys.withdraw("next", act)
    press("N", viewer_model)
    assert done == ["ours", "theirs"]


def test_a_key_that_is_held_ends_when_it_is_released(keys, layer, viewer_model):
    done = []

    def begin():
        done.append("begin")
        return lambda: done.append("end")

    keys.bind_layer(layer)
    keys.provide("peek", begin)
    handler = KeymapHandler()
    handler.keymap_providers = [layer, viewer_model]
    handler.press_key("Y")
    assert done == ["begin"]
    handler.release_key("Y")
    assert done == ["begin", "end"]


def test_a_key_is_changed_everywhere_and_kept(keys, layer, viewer_model, table):
    done = []
    other = Keys(ViewerModel(), table)
    keys.bind_layer(layer)
    keys.provide("split", lambda: done.append("split"))
    keys.change("split", "Alt+K")
    press("S", layer, viewer_model)
    press("Alt+K", layer, viewer_model)
    assert done == ["split"]
    assert other.key("split") == "Alt+K"
    assert KeyTable(table.path).key("split") == "Alt+K"
    assert keys.tip("split") == "Split the object (Alt+K)"
    table.reset()
    assert keys.tip("split") == "Split the object (S)"
    press("S", layer, viewer_model)
    assert done == ["split", "split"]


def test_a_key_can_be_taken_away(keys, layer, viewer_model):
    done = []
    keys.bind_layer(layer)
    keys.provide("split", lambda: done.append("split"))
    keys.change("split", "")
    press("S", layer, viewer_model)
    assert done == []
    assert keys.tip("split") == "Split the object"


@pytest.mark.parametrize(
    ("key", "words"),
    [("N", "Next object"), ("P", "activate labels paint mode"), ("Ctrl+G", "grid")],
)
def test_a_key_that_is_taken_is_refused_with_its_owner(keys, make_napari_viewer, key, words):
    make_napari_viewer()  # napari binds its own keys with its first window
    with pytest.raises(KeyTaken, match=words):
        keys.change("split", key)
    assert keys.key("split") == "S"


@pytest.mark.parametrize("key", ["Foo", "Question", "Shift", "Ctrl", "Shift+4", "A B", "Ctrl+"])
def test_what_is_no_key_is_refused(key):
    with pytest.raises(KeyTaken):
        spelled(key)


@pytest.mark.parametrize(
    ("said", "spelt"), [("a", "A"), ("Control-Shift-z", "Ctrl+Shift+Z"), ("Alt+1", "Alt+1")]
)
def test_keys_are_spelt_one_way(said, spelt):
    assert spelled(said.replace("Control-Shift-", "Ctrl+Shift+")) == spelt


def test_every_default_is_spelt_as_napari_spells_it():
    keys = {c.key for c in COMMANDS.values()} - {""}
    assert keys == {spelled(key) for key in keys}


def test_the_defaults_take_nothing_of_naparis(make_napari_viewer):
    """Against the live tables: a new napari that takes one of our keys fails here."""
    make_napari_viewer()
    found = collisions({name: command.key for name, command in COMMANDS.items()})
    assert [str(one) for one in found] == []


def test_digits_choose_classes_only_when_wished(image, labels, viewer_model):
    stage = stage_of(viewer_model)
    stage.session.image, stage.session.labels = image, labels
    layer = stage.activate_labels()
    press("2", layer, viewer_model)
    assert (stage.session.current_class, layer.mode) == (1, "paint")
    key_table().set_digits(True)
    press("3", layer, viewer_model)
    assert (stage.session.current_class, layer.mode) == (3, "paint")
    press("Ctrl+2", layer, viewer_model)
    assert stage.session.current_class == 2
    press("9", layer, viewer_model)
    assert stage.session.current_class == 2
    key_table().set_digits(False)
    press("1", layer, viewer_model)
    assert layer.mode == "erase"


def test_undo_is_ours_on_our_layers_alone(image, labels, viewer_model):
    from napari_defectseg.labels.tools.delete import delete

    stage = stage_of(viewer_model)
    stage.session.image, stage.session.labels = image, labels
    layer = stage.activate_labels()
    stage.session.edit(delete(labels, [1]))
    press("Ctrl+Z", layer, viewer_model)
    assert 1 in labels.object_classes
    press("Ctrl+Shift+Z", layer, viewer_model)
    assert 1 not in labels.object_classes
    theirs = viewer_model.add_labels(np.zeros((5, 5), np.int32))
    theirs.data_setitem((np.array([1]), np.array([1])), 3)
    press("Ctrl+Z", theirs, viewer_model)
    assert theirs.data[1, 1] == 0


def test_escape_resets_a_polygon_then_leaves_the_tool(image, labels, viewer_model):
    stage = stage_of(viewer_model)
    stage.session.image, stage.session.labels = image, labels
    layer = stage.activate_labels()
    layer.mode = "polygon"
    layer._overlays["polygon"].points = [(1, 1), (2, 5)]
    press("Escape", layer, viewer_model)
    assert layer._overlays["polygon"].points == []
    assert layer.mode == "polygon"
    press("Escape", layer, viewer_model)
    assert layer.mode == "pan_zoom"


@pytest.mark.parametrize("content", ["", "[]", "{", '{"keys": 3, "digits": 0}', "\x00"])
def test_a_broken_file_means_the_defaults(tmp_path, content):
    path = tmp_path / "keys.json"
    path.write_text(content)
    assert KeyTable(path).key("split") == "S"


def test_unknown_commands_and_keys_in_the_file_are_left_out(tmp_path):
    path = tmp_path / "keys.json"
    keys = {"split": "Foo", "merge": "Alt+K", "gone": "X", "next": 3}
    path.write_text(json.dumps({"keys": keys, "digits": True}))
    table = KeyTable(path)
    assert (table.key("split"), table.key("merge"), table.key("next")) == ("S", "Alt+K", "N")
    assert table.digits


def test_a_full_disk_does_not_stop_the_change(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("")
    table = KeyTable(blocked / "keys.json")
    table.set_key("split", "Alt+K")
    assert table.key("split") == "Alt+K"


def test_keys_go_with_their_viewer(qapp):
    import gc

    viewer = ViewerModel()
    keys_of(viewer).provide("next", lambda: None)
    seen = weakref.ref(viewer)
    del viewer
    gc.collect()
    assert seen() is None


def test_binding_names_reach_naparis_tables(keys, viewer_model):
    """Unknown names would all share one key: each of ours is its own."""
    for name in COMMANDS:
        keys.provide(name, lambda: None)
    heard = {"viewer", "both"}
    wanted = {coerce_keybinding(c.key) for c in COMMANDS.values() if c.where in heard}
    assert wanted <= set(viewer_model.keymap)
    assert len(wanted) == sum(c.where in heard for c in COMMANDS.values())
