"""`Windows`: how a network made for patches of one size sees an image, as a value of its card.

Patches overlap; their logits are added with weights that fall towards the border and divided by
the sum of the weights. nnU-Net and MONAI both do so, with small differences that are kept, so
that the numbers here are the numbers there.
"""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from napari_defectseg.core.errors import ModelError

Style: TypeAlias = Literal["nnunet", "monai"]


class Windows(BaseModel):
    """Overlapping patches, and what happens to the image around them.

    Parameters
    ----------
    size : tuple of int
        Edges of a patch along (z,) y, x; what is smaller gets zeros around it.
    step : float
        From one patch to the next at most, as a part of the edge.
    weights : str
        ``"gaussian"`` with a standard deviation of `sigma` edges, or ``"flat"``.
    sigma : float
    style : str
        ``"nnunet"``: patches are spread evenly from border to border, and the bell has its
        centre on a pixel. ``"monai"``: they follow each other by whole steps, the last one is
        moved back inside, and the bell has its centre in the middle of the patch.
    mirror : tuple of int
        Axes of a patch (0 is the first) that are mirrored; the mean over all combinations counts.
    spacing : tuple of float or None
        Pixel size along (z,) y, x that images are brought to, and scores back from; None: they
        stay.
    unit : str
        Of the spacing; empty: the file does not say it, so numbers are compared as they are.
    separate : bool or None
        Whether the coarsest axis is brought to its spacing by itself, without interpolation;
        None: where it is more than three times coarser than the finest.
    crop : bool
        Only the box around all pixels that are not zero is looked at; the rest is background.
    masked : tuple of bool
        Of each channel: zeros around the object are left out of the statistics and stay zero.
    order : tuple of int
        The network sees axis ``order[i]`` of (z,) y, x as its axis i.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: tuple[int, ...] = Field(min_length=2, max_length=3)
    step: float = Field(0.5, ge=0.01, le=1)
    weights: Literal["gaussian", "flat"] = "gaussian"
    sigma: float = Field(0.125, gt=0)
    style: Style = "nnunet"
    mirror: tuple[int, ...] = ()
    spacing: tuple[float, ...] | None = None
    unit: str = ""
    separate: bool | None = None
    crop: bool = False
    masked: tuple[bool, ...] = ()
    order: tuple[int, ...] = ()

    @model_validator(mode="after")
    def _agree(self) -> Windows:
        axes = len(self.size)
        if any(n < 1 for n in self.size):
            raise ValueError(f"a patch of {self.size} pixels is empty")
        if len(set(self.mirror)) < len(self.mirror) or not set(self.mirror) <= set(range(axes)):
            raise ValueError(f"mirror {self.mirror} names axes that a patch does not have")
        if self.order and sorted(self.order) != list(range(axes)):
            raise ValueError(f"order {self.order} is no order of {axes} axes")
        if self.spacing is not None and (
            len(self.spacing) != axes or not all(0 < s < float("inf") for s in self.spacing)
        ):
            raise ValueError(f"spacing {self.spacing} is not one size for each axis")
        return self

    @classmethod
    def of(cls, where: str, **values: Any) -> Windows:
        """Return the patches that a file of another program states.

        Raises
        ------
        ModelError
            If they make no sense.
        """
        try:
            return cls(**values)
        except ValidationError as error:
            reason = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
            raise ModelError(f"The patches that {where} states make no sense: {reason}.") from error

    @property
    def axes(self) -> tuple[int, ...]:
        """`order`, written out."""
        return self.order or tuple(range(len(self.size)))
