"""`PredictSettings`: one object for dock, recipe and command line."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Annotated, Any, Literal

from napari_defectseg.core.errors import DeviceError
from napari_defectseg.core.setting import Setting
from napari_defectseg.inference.ways import ENGINES, is_exact

DEVICES = (
    ("auto", "choose for me"), ("cpu", "processor"), ("cuda", "graphics card"),
    ("mps", "graphics of Apple"),
)  # fmt: skip
"""Devices and what they are called."""
MODES = (
    ("auto", "as the model allows"), ("exact", "exact"), ("fast", "fast, error measured"),
)  # fmt: skip
"""Modes and what they are called."""
FLIPS = ("off", "mirror", "all")
VOLUMES = ("slices", "three-axes")


@dataclass(frozen=True)
class PredictSettings:
    """How a prediction is computed; what it means is in the model's card.

    Parameters
    ----------
    device : str
        ``"auto"``, ``"cpu"``, ``"cuda"``, ``"cuda:N"`` or ``"mps"``.
    mode : str
        ``"exact"``: float32, tiles that give what the whole image gives. ``"fast"``: the fastest
        engine whose results agree with the exact ones, as measured on the image. ``"auto"``:
        exact, or fast where the card of the model allows it.
    engine : str
        ``"auto"``, or the name of one (`ways.ENGINES`), which is then used whatever it gives.
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
    pixel_policy : str
        What happens to an image outside the pixel sizes of the model: ``"card"``: what the
        card says; ``"resample"``, ``"warn"``, ``"go-on"``: see `ModelCard`.
    nan : str
        What happens to pixels without a finite value: ``"refuse"``, or ``"mean"``: they get
        the mean of the finite ones, which is said in the warnings.
    flips : str
        ``"off"``; ``"mirror"``: the mean over the mirror images that mean the same to the model,
        as its card says; ``"all"``: over its quarter turns and diagonals, too.
    volume : str
        How a network for planes goes through a volume: ``"slices"``: slice by slice;
        ``"three-axes"``: across all three axes, and the mean of what it finds there.
    devices : tuple of str
        Several devices that share the tiles, for example two graphics cards; the result does
        not depend on how they share them. Empty: `device` alone.
    region : str or None
        The part of the image to predict, see `Region.parse`: ``"y=100:612,x=0:512"``; None: all
        of it. There it gives what the whole image gives.
    """

    device: Annotated[
        str, Setting("Compute on", choices=tuple(one for one, _ in DEVICES), names=DEVICES)
    ] = "auto"
    mode: Annotated[Literal["auto", "exact", "fast"], Setting("Exactness", names=MODES)] = "auto"
    engine: Annotated[
        str, Setting("Engine", choices=tuple(one for one, _ in ENGINES), names=ENGINES)
    ] = "auto"
    memory: Annotated[
        int | None, Setting("Memory", unit="GB", scale=1e9, low=1, none="a quarter")
    ] = None
    tile: Annotated[int | None, Setting("Tiles", unit="px", low=16, none="fit memory")] = None
    scores_path: Annotated[str | None, Setting("Keep scores in", none="memory")] = None
    threads: Annotated[int | None, Setting("Threads", low=1, high=1024, none="all cores")] = None
    channel: Annotated[int | None, Setting("Channel", low=0, none="all")] = None
    pixel_policy: Annotated[
        Literal["card", "resample", "warn", "go-on"],
        Setting(
            "Other pixel size",
            names=(
                ("card", "as the model says"),
                ("resample", "resample"),
                ("warn", "warn"),
                ("go-on", "go on"),
            ),
        ),
    ] = "card"
    nan: Annotated[
        Literal["refuse", "mean"],
        Setting("Pixels without value", names=(("refuse", "ask"), ("mean", "take the mean"))),
    ] = "refuse"
    flips: Annotated[
        Literal["off", "mirror", "all"],
        Setting(
            "Mirror images",
            names=(
                ("off", "off"),
                ("mirror", "mirrored"),
                ("all", "all turns"),
            ),
        ),
    ] = "off"
    volume: Annotated[
        Literal["slices", "three-axes"],
        Setting(
            "Volume",
            names=(("slices", "by slices"), ("three-axes", "three axes")),
        ),
    ] = "slices"
    devices: tuple[str, ...] = ()
    region: Annotated[str | None, Setting("Region", none="whole image")] = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "devices", tuple(self.devices))
        if self.mode not in dict(MODES):
            raise DeviceError(f"There is no mode {self.mode!r}.", hint="Use auto, exact or fast.")
        if self.mode == "exact" and not is_exact(self.engine):
            raise DeviceError(
                f"The engine {self.engine} is not exact.", hint="Use mode auto or fast with it."
            )
        if self.nan not in ("refuse", "mean"):
            raise DeviceError(f"nan={self.nan!r} is not known.", hint="Use refuse or mean.")
        if self.pixel_policy not in ("card", "resample", "warn", "go-on"):
            raise DeviceError(
                f"pixel_policy={self.pixel_policy!r} is not known.",
                hint="Use card, resample, warn or go-on.",
            )
        for name, known in (("flips", FLIPS), ("volume", VOLUMES)):
            value = getattr(self, name)
            if value not in known:
                raise DeviceError(
                    f"{name}={value!r} is not known.", hint=f"Use {' or '.join(known)}."
                )
        for name in ("memory", "tile", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise DeviceError(f"{name} must be positive; {value} was given.")

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {**asdict(self), "devices": list(self.devices)}
