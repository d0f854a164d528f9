from __future__ import annotations

from napari_defectseg.core.acquisition import Acquisition
from napari_defectseg.core.units import Quantity


def test_a_field_inherits_what_it_does_not_say() -> None:
    folder = Acquisition(thickness=Quantity(85, "nm", 10), g="110")
    field = Acquisition(g="200").inherit(folder)
    assert field.g == "200"
    assert field.thickness == Quantity(85, "nm", 10)


def test_it_survives_json_and_says_only_what_is_known() -> None:
    record = Acquisition(thickness=Quantity(85, "nm", 10), thickness_method="CBED")
    assert set(record.as_dict()) == {"thickness", "thickness_method"}
    assert Acquisition.from_dict(record.as_dict()) == record
