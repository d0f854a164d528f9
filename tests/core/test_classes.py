from __future__ import annotations

import pytest

from napari_defectseg.core.classes import PALETTE, ClassMap, DefectClass
from napari_defectseg.core.errors import ClassError


def test_names_get_values_colours_and_patterns_in_order() -> None:
    classes = ClassMap.of(["void", "loop"])
    assert classes.values == (1, 2)
    assert [c.colour for c in classes] == [PALETTE[0][1], PALETTE[1][1]]
    assert classes.by_name("loop").value == 2
    assert classes.by_value(1).name == "void"


def test_it_survives_json() -> None:
    classes = ClassMap.of(["void", "loop"], exclusive=False)
    assert ClassMap.from_dict(classes.as_dict()) == classes


@pytest.mark.parametrize(
    "classes",
    [
        (),
        (DefectClass(1, "a", "#000000"), DefectClass(1, "b", "#000000")),
        (DefectClass(1, "a", "#000000"), DefectClass(2, "a", "#000000")),
        (DefectClass(0, "background", "#000000"),),
        (DefectClass(255, "unlabelled", "#000000"),),
        (DefectClass(1, "  ", "#000000"),),
    ],
)
def test_classes_that_clash_get_a_sentence(classes: tuple[DefectClass, ...]) -> None:
    with pytest.raises(ClassError):
        ClassMap(classes)


def test_a_class_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(ClassError, match="void"):
        ClassMap.of(["void"]).by_name("loop")
    with pytest.raises(ClassError, match="1 void"):
        ClassMap.of(["void"]).by_value(7)


@pytest.mark.parametrize("broken", [{}, {"classes": [{"value": 1}], "exclusive": True}])
def test_a_broken_list_gets_a_sentence(broken: dict[str, object]) -> None:
    with pytest.raises(ClassError, match="cannot be read"):
        ClassMap.from_dict(broken)
