"""A card as the description of a bioimage.io package of version 0.5."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from napari_defectseg.core.errors import ModelError
from napari_defectseg.models.card import ModelCard
from napari_defectseg.models.preprocess import EachChannel, Invert, Normalise, Preprocessing, Values

FORMAT = "0.5.12"
PROJECT = "https://napari-defectseg.readthedocs.io"
IMAGE, SCORES = "image", "scores"
AXES = ("z", "y", "x")
UNITS = {"Å": "angstrom", "pm": "picometer", "nm": "nanometer", "µm": "micrometer"}
UNITS |= {"mm": "millimeter", "cm": "centimeter", "m": "meter"}
LICENCES = frozenset(
    [
        "CC0-1.0",
        "CC-BY-4.0",
        "CC-BY-SA-4.0",
        "CC-BY-NC-4.0",
        "MIT",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "GPL-2.0-only",
        "GPL-2.0-or-later",
        "GPL-3.0-only",
        "GPL-3.0-or-later",
        "LGPL-3.0-only",
        "LGPL-3.0-or-later",
        "AGPL-3.0-only",
        "MPL-2.0",
    ]
)
"""Licences by the names that a description may have."""
LONGEST_HALO_3D = 16
"""A halo of more would make the test arrays of a volume larger than the weights."""
_LINK = re.compile(r"https?://[^\s,;)]+")
_DOI = re.compile(r"10\.\d{4,9}/[^\s,;)]+")


def least_size(card: ModelCard, edge: int) -> int:
    """Return the shortest axis that the description promises: with room inside of the halo."""
    needed = max(edge, 2 * stated_halo(card) + card.grid)
    return math.ceil(needed / card.grid) * card.grid


def stated_halo(card: ModelCard) -> int:
    """Return the halo that the description states, 0: none."""
    halo = card.halo or 0
    return 0 if card.dims == 3 and halo > LONGEST_HALO_3D else halo


def description(
    card: ModelCard, hashes: Mapping[str, str], least: int, extra: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the description as plain values.

    Parameters
    ----------
    card : ModelCard
    hashes : mapping of str to str
        Names of the files in the package to SHA-256.
    least : int
        Shortest axis, see `least_size`.
    extra : mapping
        ``opset``: version of the operators; ``author``; ``timestamp``; ``card``: the whole card.

    Raises
    ------
    ModelError
        If its preparation has no words there.
    """
    _refuse_windows(card)

    def file(name: str) -> dict[str, str]:
        return {"source": name, "sha256": hashes[name]}

    found: dict[str, Any] = {
        "format_version": FORMAT,
        "type": "model",
        "name": _name(card.name),
        "description": (card.description or f"Segmentation: {', '.join(card.classes.names)}")[
            :1024
        ],
        "authors": [{"name": extra["author"]}],
        "cite": [_cited(card)],
        "documentation": file("README.md"),
        "covers": [file("cover.png")],
        "attachments": [file("weights.safetensors")],
        "tags": ["semantic-segmentation", f"{card.dims}d", "materials-science", "defects"],
        "timestamp": extra["timestamp"],
        "version": "0.1.0",
        "inputs": [_input(card, least, file("test_input.npy"))],
        "outputs": [_output(card, file("test_output.npy"))],
        "weights": {"onnx": {**file("model.onnx"), "opset_version": extra["opset"]}},
        "config": {"napari_defectseg": {"card": extra["card"], "weights": "weights.safetensors"}},
    }
    if card.licence in LICENCES:
        found["license"] = card.licence
    return found


def takes_bytes(card: ModelCard) -> bool:
    """Return whether its preparation depends on the type of the image: then it is uint8 here."""
    steps = [one for step in card.preprocessing for one in getattr(step, "steps", (step,))]
    return any(
        isinstance(step, Normalise) and step.method == "divide" and step.high is None
        for step in steps
    )


def _refuse_windows(card: ModelCard) -> None:
    """Refuse what happens to an image around patches and has no words in a description.

    Raises
    ------
    ModelError
    """
    windows = card.windows
    if windows is None:
        return
    done = {
        "resamples images to its own pixel size": windows.spacing is not None,
        "cuts the border of zeros off": windows.crop,
        "leaves zeros out of its statistics": any(windows.masked),
        "sees the axes in another order": windows.axes != tuple(range(card.dims)),
    }
    for words, so in done.items():
        if so:
            raise ModelError(
                f"{card.name} {words}, which a package of bioimage.io cannot say.",
                hint="Export it to ONNX or safetensors.",
            )


def _name(name: str) -> str:
    plain = " ".join(re.sub(r"[^\w\-() ]", " ", name).split())[:128]
    return plain if len(plain) >= 5 else f"model {plain}".strip()


def _cited(card: ModelCard) -> dict[str, str]:
    doi, link = _DOI.search(card.citation), _LINK.search(card.citation)
    text = card.citation or f"{card.name}, made with napari-defectseg"
    if doi:
        return {"text": text, "doi": doi[0].rstrip(".")}
    return {"text": text, "url": link[0].rstrip(".") if link else PROJECT}


def _batch(card: ModelCard) -> dict[str, Any]:
    """Return the axis of samples; a graph of one size takes one at a time."""
    return {"type": "batch", **({"size": 1} if card.tile is not None else {})}


def _space(card: ModelCard) -> dict[str, Any]:
    """Return unit and scale of a pixel, where the card knows them."""
    unit = UNITS.get(card.pixel_unit)
    if card.pixel_size is None or unit is None:
        return {}
    return {"unit": unit, "scale": math.sqrt(card.pixel_size[0] * card.pixel_size[1])}


def _input(card: ModelCard, least: int, test: Mapping[str, str]) -> dict[str, Any]:
    names = AXES[-card.dims :]
    sizes: list[Any] = list(card.tile or ({"min": least, "step": card.grid},) * card.dims)
    channels = [f"channel{number}" for number in range(card.in_channels)]
    return {
        "id": IMAGE,
        "axes": [
            _batch(card),
            {"type": "channel", "channel_names": channels},
            *(
                {"type": "space", "id": name, "size": size, **_space(card)}
                for name, size in zip(names, sizes, strict=True)
            ),
        ],
        "data": {"type": "uint8" if takes_bytes(card) else "float32"},
        "test_tensor": dict(test),
        "preprocessing": _preparation(card),
    }


def _output(card: ModelCard, test: Mapping[str, str]) -> dict[str, Any]:
    names = list(card.classes.names)
    background = card.task == "exclusive" and card.has_background
    halo = stated_halo(card)
    axes = [
        {
            "type": "space",
            "id": name,
            "size": {"tensor_id": IMAGE, "axis_id": name},
            **({"halo": halo} if halo else {}),
            **_space(card),
        }
        for name in AXES[-card.dims :]
    ]
    named = [re.sub(r"\W", "_", name) for name in (["background"] * background + names)]
    return {
        "id": SCORES,
        "axes": [_batch(card), {"type": "channel", "channel_names": named}, *axes],
        "data": {"type": "float32"},
        "test_tensor": dict(test),
        "postprocessing": _afterwards(card),
    }


def _afterwards(card: ModelCard) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = []
    if card.activation == "softmax":
        steps.append({"id": "softmax", "kwargs": {"axis": "channel"}})
    elif card.activation == "sigmoid":
        steps.append({"id": "sigmoid"})
    if card.inverted:
        steps.append({"id": "scale_linear", "kwargs": {"gain": -1.0, "offset": 1.0}})
    if card.rescale == "image":
        raise ModelError(
            f"{card.name} scales its scores by the smallest and largest of each image, which a "
            "package of bioimage.io cannot say.",
            hint="Export it to ONNX or safetensors.",
        )
    steps.append({"id": "ensure_dtype", "kwargs": {"dtype": "float32"}})
    return steps


def _preparation(card: ModelCard) -> list[dict[str, Any]]:
    steps: list[dict[str, Any]] = [{"id": "ensure_dtype", "kwargs": {"dtype": "float32"}}]
    for step in card.preprocessing:
        steps += _step(step, card)
    steps.append({"id": "ensure_dtype", "kwargs": {"dtype": "float32"}})
    return steps


def _step(step: Preprocessing, card: ModelCard) -> list[dict[str, Any]]:
    """Return one step of ours in the words of the description."""
    if isinstance(step, Invert):
        return [_linear(-1.0, 2 * step.about)]
    if isinstance(step, EachChannel):
        return _step(_together(step, card), card)
    if step.limits is not None:
        first = {"id": "clip", "kwargs": dict(zip(("min", "max"), step.limits, strict=True))}
        return [first, *_step(step.model_copy(update={"limits": None}), card)]
    axes = list(AXES[-card.dims :]) if step.per_channel else ["channel", *AXES[-card.dims :]]
    if step.method == "divide":
        high = 255.0 if step.high is None else step.high
        made = [_line(0.0, high)]
    elif step.method == "zscore":
        if step.scope == "constant":
            return [_fixed(step.low or 0.0, step.high or 1.0)]
        return [{"id": "zero_mean_unit_variance", "kwargs": {"axes": axes}}]
    elif step.scope == "constant":
        made = [_line(step.low or 0.0, step.high or 0.0)]
    else:
        low, high_ = (0.0, 100.0) if step.method == "minmax" else _percentiles(step)
        kwargs = {"axes": axes, "min_percentile": low, "max_percentile": high_}
        made = [{"id": "scale_range", "kwargs": kwargs}]
    return [*made, {"id": "clip", "kwargs": {"min": 0.0, "max": 1.0}}] if step.clip else made


def _together(step: EachChannel, card: ModelCard) -> Normalise:
    """Return the steps of the channels as one.

    Raises
    ------
    ModelError
        If they differ in more than their numbers.
    """
    first, *_ = step.steps
    if len(set(step.steps)) == 1:
        return first.model_copy(update={"per_channel": True})
    plain = {one.model_copy(update={"low": None, "high": None}) for one in step.steps}
    lows, highs = [one.low for one in step.steps], [one.high for one in step.steps]
    numbers = all(isinstance(n, float | int) for n in highs + lows * (first.method != "divide"))
    if first.scope != "constant" or len(plain) > 1 or not numbers:
        raise ModelError(
            f"{card.name} prepares its channels in different ways, which a package of bioimage.io "
            "cannot say.",
            hint="Export it to ONNX or safetensors.",
        )
    low = None if first.method == "divide" else tuple(lows)
    return first.model_copy(update={"low": low, "high": tuple(highs)})


def _percentiles(step: Normalise) -> tuple[float, float]:
    low = 1.0 if step.low is None else step.low
    high = 99.0 if step.high is None else step.high
    assert isinstance(low, float | int)
    assert isinstance(high, float | int)
    return float(low), float(high)


def _line(low: Values, high: Values) -> dict[str, Any]:
    """Return the step that makes `low` 0 and `high` 1, for all channels or for each."""
    pairs = list(zip(*_pairs(low, high), strict=True))
    gains = [1 / (top - bottom) for bottom, top in pairs]
    offsets = [-bottom * gain for (bottom, _), gain in zip(pairs, gains, strict=True)]
    if len(pairs) == 1:
        return _linear(gains[0], offsets[0])
    return {"id": "scale_linear", "kwargs": {"axis": "channel", "gain": gains, "offset": offsets}}


def _linear(gain: float, offset: float) -> dict[str, Any]:
    return {"id": "scale_linear", "kwargs": {"gain": gain, "offset": offset}}


def _fixed(mean: Values, std: Values) -> dict[str, Any]:
    means, stds = _pairs(mean, std)
    if len(means) == 1:
        kwargs: dict[str, Any] = {"mean": means[0], "std": stds[0]}
    else:
        kwargs = {"axis": "channel", "mean": means, "std": stds}
    return {"id": "fixed_zero_mean_unit_variance", "kwargs": kwargs}


def _pairs(one: Values, other: Values) -> tuple[list[float], list[float]]:
    first = list(one) if isinstance(one, tuple) else [float(one)]
    second = list(other) if isinstance(other, tuple) else [float(other)]
    count = max(len(first), len(second))
    return first * (count // len(first)), second * (count // len(second))
