"""What a MONAI bundle does before and after its network, as fields of a card."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from napari_defectseg.models.configuration import Configuration, NotPlain
from napari_defectseg.models.plain import numbers, whole_numbers
from napari_defectseg.models.preprocess import Normalise, Preprocessing
from napari_defectseg.models.windows import Windows

NOTHING = (
    "LoadImage", "EnsureChannelFirst", "EnsureType", "ToTensor", "CastToType", "AddChannel",
    "ToDevice", "Identity", "AsChannelFirst", "SelectItems",
)  # fmt: skip
"""Transforms that only bring an image into the form that it has here anyway."""


MOST_OVERLAP, LARGEST_SIGMA = 0.99, 100.0


class Read:
    """What has been found.

    Parameters
    ----------
    fields : dict
        Fields of a card.
    quirks : list of str
    missing : set of str
    """

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self.quirks: list[str] = []
        self.missing: set[str] = set()


def transforms(config: Configuration, name: str) -> list[dict[str, Any]]:
    """Return the transforms of a chain as they stand; those behind references are found."""
    value = config.raw(name)
    if isinstance(value, dict):
        value = value.get("transforms")
    if isinstance(value, str) and value.startswith("@"):
        try:
            value = config.plain(value)
        except NotPlain:
            value = None
    found = [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []
    return [v for v in found if v.get("_disabled_") is not True]


def name_of(transform: Mapping[str, Any]) -> str:
    """Return the name of a transform without path and without the ending for dictionaries."""
    name = str(transform.get("_target_", "")).rpartition(".")[2]
    return name.removesuffix("Dict").removesuffix("d").removesuffix("D")


def before(config: Configuration, found: Read) -> None:
    """Add the preparation of grey values; what is not translated is named."""
    chain = transforms(config, "preprocessing")
    steps: list[Preprocessing] = []
    if not chain:
        found.missing.add("preprocessing")
    for transform in chain:
        name = name_of(transform)
        if name in NOTHING:
            continue
        if name == "Orientation":
            found.quirks.append("It sees volumes with the axes in the order x, y, z, as MONAI.")
            found.fields["order"] = (2, 1, 0)
            continue
        try:
            values = config.plain({k: v for k, v in transform.items() if not k.startswith("_")})
        except NotPlain:
            values = None
        if name == "Spacing" and values is not None and _spacing(values, found):
            continue
        made = None if values is None else _step(name, values)
        if made is None:
            found.quirks.append(f"Its preparation {name!r} is not translated and is left out.")
            found.missing.add("preprocessing")
        else:
            steps += made
    found.fields["preprocessing"] = tuple(steps)


def _spacing(values: Mapping[str, Any], found: Read) -> bool:
    sizes = numbers(values.get("pixdim"))
    if sizes is None or min(sizes) <= 0:
        return False
    found.fields |= {"pixel_size": (min(sizes), max(sizes)), "pixel_unit": "mm"}
    words = " × ".join(f"{s:g}" for s in sizes)
    found.quirks.append(
        f"MONAI resamples images to {words} mm; here they stay as they are, and the result says "
        "where the pixel size is another."
    )
    return True


def _step(name: str, values: Mapping[str, Any]) -> list[Preprocessing] | None:
    """Return steps of ours, None where there are none."""
    try:
        if name == "ScaleIntensityRange":
            return _range(values)
        if name == "ScaleIntensity" and values.get("factor") is None:
            apart = bool(values.get("channel_wise", False))
            low, high = values.get("minv", 0.0), values.get("maxv", 1.0)
            return [Normalise(method="minmax", scope="slice", per_channel=apart), *_to(low, high)]
        if name == "ScaleIntensityRangePercentiles" and not values.get("relative"):
            return _percentiles(values)
        if name == "NormalizeIntensity" and not values.get("nonzero"):
            return [_normalised(values)]
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return None


def _range(values: Mapping[str, Any]) -> list[Preprocessing]:
    low, high = float(values["a_min"]), float(values["a_max"])
    limits = (low, high) if values.get("clip") else None
    b_min, b_max = values.get("b_min"), values.get("b_max")
    first, last = (0.0, 1.0) if None in (b_min, b_max) else (float(b_min or 0), float(b_max or 0))
    gain = (high - low) / (last - first)
    start = low - first * gain
    return [
        Normalise(method="minmax", scope="constant", low=start, high=start + gain, limits=limits)
    ]


def _percentiles(values: Mapping[str, Any]) -> list[Preprocessing]:
    first = Normalise(
        method="percentile",
        scope="slice",
        low=float(values["lower"]),
        high=float(values["upper"]),
        per_channel=bool(values.get("channel_wise", False)),
        clip=bool(values.get("clip", False)),
    )
    return [first, *_to(values.get("b_min"), values.get("b_max"))]


def _to(low: Any, high: Any) -> list[Preprocessing]:
    """Return the step that brings 0 … 1 to another range, none where it is that range."""
    if None in (low, high) or (low, high) == (0, 1):
        return []
    gain = 1 / (float(high) - float(low))
    start = -float(low) * gain
    return [Normalise(method="minmax", scope="constant", low=start, high=start + gain)]


def _normalised(values: Mapping[str, Any]) -> Normalise:
    apart = bool(values.get("channel_wise", False))
    mean, spread = values.get("subtrahend"), values.get("divisor")
    if mean is None and spread is None:
        return Normalise(method="zscore", scope="slice", per_channel=apart)
    low, high = (numbers(v if isinstance(v, list) else [v]) for v in (mean, spread))
    if low is None or high is None:
        raise ValueError("half a normalisation")
    one = len(low) == len(high) == 1
    return Normalise(
        method="zscore",
        scope="constant",
        low=low[0] if one else low,
        high=high[0] if one else high,
    )


def inferer(config: Configuration, dims: int, found: Read) -> None:
    """Add the patches of a sliding window."""
    value = config.raw("inferer")
    if not isinstance(value, dict) or not str(value.get("_target_", "")).endswith(
        "SlidingWindowInferer"
    ):
        return
    try:
        values = config.plain({k: v for k, v in value.items() if k in _INFERER})
    except NotPlain:
        values = {}
    roi, overlap = values.get("roi_size"), values.get("overlap", 0.25)
    size = whole_numbers(roi if isinstance(roi, list) else [roi] * dims)
    sigma = values.get("sigma_scale", 0.125)
    good = isinstance(overlap, int | float) and 0 <= overlap <= MOST_OVERLAP
    good = good and isinstance(sigma, int | float) and 0 < sigma < LARGEST_SIGMA
    padding = values.get("padding_mode", "constant")
    if size is None or len(size) != dims or min(size) < 1 or not good or padding != "constant":
        found.quirks.append("How it cuts patches is not translated; it sees the image in tiles.")
        return
    found.fields["windows"] = Windows.of(
        "its inferer",
        size=size,
        step=1 - overlap,
        weights="gaussian" if values.get("mode", "constant") == "gaussian" else "flat",
        sigma=float(sigma),
        style="monai",
    )


_INFERER = ("roi_size", "overlap", "mode", "sigma_scale", "padding_mode")


def after(config: Configuration, found: Read) -> None:
    """Add the activation, where the chain afterwards names one."""
    for transform in transforms(config, "postprocessing"):
        name = name_of(transform)
        for word in ("softmax", "sigmoid"):
            if name == "Activations" and transform.get(word) is True:
                found.fields["activation"] = word
        if name not in (
            "Activations",
            "AsDiscrete",
            "SaveImage",
            "Invert",
            "EnsureType",
            "ToTensor",
        ):
            found.quirks.append(f"What it does afterwards, {name!r}, is not done here.")
