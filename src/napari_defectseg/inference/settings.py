"""`PredictSettings`: one object for dock, recipe and command line."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from napari_defectseg.core.errors import DeviceError


@dataclass(frozen=True)
class PredictSettings:
    """How a prediction is computed; what it means is in the model's card.

    Parameters
    ----------
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:N"`` or ``"mps"``.
    mode : str
        ``"auto"`` or ``"exact"``: float32, tiles that give what the whole image gives.
    memory : int or None
        Bytes that one pass may need; None: a quarter of the machine's, at most 4 GB.
    tile : int or None
        Edge of a tile in px, with what it overlaps; None: as large as the memory allows.
    scores_path : str or None
        Zarr store to write the scores to; None: in memory.
    threads : int or None
        Threads of the processor; None: all cores.
    channel : int or None
        The one channel of the image to use; None: all.
    nan : str
        What happens to pixels without a finite value: ``"refuse"``, or ``"mean"``: they get
        the mean of the finite ones, which is said in the warnings.
    """

    device: str = "auto"
    mode: Literal["auto", "exact"] = "auto"
    memory: int | None = None
    tile: int | None = None
    scores_path: str | None = None
    threads: int | None = None
    channel: int | None = None
    nan: Literal["refuse", "mean"] = "refuse"

    def __post_init__(self) -> None:
        if self.mode not in ("auto", "exact"):
            raise DeviceError(f"There is no mode {self.mode!r}.", hint="Use auto or exact.")
        if self.nan not in ("refuse", "mean"):
            raise DeviceError(f"nan={self.nan!r} is not known.", hint="Use refuse or mean.")
        for name in ("memory", "tile", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise DeviceError(f"{name} must be positive; {value} was given.")

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)
