"""How the picture was taken: asked once, inherited by the folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Annotated, Any

from napari_defectseg.core.setting import Setting
from napari_defectseg.core.units import Quantity


@dataclass(frozen=True)
class Acquisition:
    """Imaging conditions that numbers depend on; None where nobody said.

    Parameters
    ----------
    thickness : Quantity or None
        Foil thickness with one standard deviation; needed for numbers per volume.
    thickness_method : str
        How it was found: ``"CBED"``, ``"EELS"``, …
    g : str
        Diffraction vector, for example ``"110"``.
    zone_axis : str
        For example ``"[001]"``.
    defocus : Quantity or None
        Of the objective lens.
    dose : str
        Irradiation dose with its unit, as the user writes it.
    exposure : Quantity or None
        Exposure time of a frame.
    scan_direction : str
        ``"left to right"``, … of a laser in a movie.
    """

    thickness: Annotated[
        Quantity | None, Setting("Foil thickness", unit="nm", none="85 ± 10 nm")
    ] = None
    thickness_method: Annotated[str, Setting("found by", none="CBED, EELS, …")] = ""
    g: Annotated[str, Setting("g", none="110")] = ""
    zone_axis: Annotated[str, Setting("Zone axis", none="[001]")] = ""
    defocus: Annotated[Quantity | None, Setting("Defocus", unit="nm", none="-500 nm")] = None
    dose: Annotated[str, Setting("Dose", none="2 dpa")] = ""
    exposure: Annotated[Quantity | None, Setting("Exposure", unit="ms", none="20 µs")] = None
    scan_direction: Annotated[str, Setting("Laser goes", none="left to right")] = ""

    def inherit(self, folder: Acquisition) -> Acquisition:
        """Return this record with the folder's values where it has none."""
        missing = {
            field.name: getattr(folder, field.name)
            for field in fields(self)
            if not getattr(self, field.name)
        }
        return replace(self, **missing)

    def as_dict(self) -> dict[str, Any]:
        """Return what is known, as plain JSON values."""
        found: dict[str, Any] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Quantity):
                found[field.name] = {"value": value.value, "sigma": value.sigma, "unit": value.unit}
            elif value:
                found[field.name] = value
        return found

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Acquisition:
        """Return the record written by `as_dict`; unknown keys are refused by the constructor."""
        read: dict[str, Any] = {
            name: Quantity(value["value"], value["unit"], value.get("sigma", 0.0))
            if isinstance(value, Mapping)
            else value
            for name, value in values.items()
        }
        return cls(**read)
