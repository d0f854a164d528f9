"""Sentences about a model: how each field of its card is known, and whether an image fits it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from napari_defectseg.core.errors import ImageError
from napari_defectseg.core.units import ratio
from napari_defectseg.inference.scale import nearest_size, pixel_size_warning, scale_of
from napari_defectseg.models.beside import place_beside
from napari_defectseg.ui import numbers, words

if TYPE_CHECKING:
    from napari_defectseg.images.image import CalibratedImage
    from napari_defectseg.models.card import ModelCard
    from napari_defectseg.models.model import Model

FIELDS = (
    ("architecture", "Network"),
    ("dims", "Sees"),
    ("in_channels", "Channels"),
    ("classes", "Classes"),
    ("task", "Classes are"),
    ("preprocessing", "Grey values"),
    ("pixel_size", "Made for"),
    ("pixel_policy", "Other sizes"),
    ("input_size", "Whole image"),
    ("batch_norm", "Statistics"),
    ("thresholds", "Thresholds"),
    ("min_size", "Smallest object"),
    ("halo", "Tiles overlap"),
)
"""Fields of a card that a person may ask about, and what they are called."""
ASKED = {
    "architecture": "which of several networks it is",
    "classes": "which class is which",
    "task": "whether classes exclude each other",
    "preprocessing": "how grey values are scaled",
    "pixel_size": "for which pixel size it was made",
}
"""What a file did not say, by the field of the card."""
_METHODS = {
    "zscore": "mean 0, spread 1",
    "percentile": "percentiles {low:g} and {high:g} to 0 and 1",
    "minmax": "darkest and brightest to 0 and 1",
    "divide": "divided by the largest value",
}
_SCOPES = {"image": "of the whole image", "slice": "of each slice", "constant": "fixed"}
_TASKS = {
    "exclusive": "one a pixel",
    "binary": "one class or not",
    "multilabel": "may overlap",
}
_GUESSES = {
    "architecture": "Several networks have exactly these tensors; the notes name them.",
    "classes": "The file names no classes; these names stand for its {outputs} outputs in order.",
    "task": "{outputs} outputs: taken as {task}, the usual meaning.",
    "preprocessing": "No file of this kind says it; this is the most usual scaling.",
    "pixel_size": "No file of this kind says it, so nothing warns of a wrong magnification.",
    "thresholds": "None is stated: 0.5, or the best class.",
    "min_size": "None is stated: every object counts.",
}


def question(card: ModelCard) -> str:
    """Return what a person should check, empty if nothing is open."""
    asked = [ASKED[name] for name in card.missing if name in ASKED]
    if not asked:
        return ""
    listed = asked[0] if len(asked) == 1 else f"{', '.join(asked[:-1])}, nor {asked[-1]}"
    return (
        f"The file does not say {listed}. Please check once; your answer is kept for this file "
        "on this computer."
    )


def evidence(model: Model, name: str) -> str:
    """Return how a field of a model's card is known."""
    card = model.card
    source = card.sources.get(name, "card")
    value = described(card, name)
    if source == "you":
        return f"You said so: {value}. It is kept for these weights on this computer."
    if source == "guess":
        tried = _GUESSES.get(name, "Nothing states it; this is the usual value.")
        if name == "pixel_size" and card.pixel_size is not None:
            tried = "The authors name it, but it could not be verified."
        known = {"outputs": card.out_channels, "task": _TASKS[card.task]}
        return f"A guess: {value}. {tried.format(**known)}"
    file = Path(model.path).name or card.name
    if source == "file":
        return f"Read from the weights in {file}, their names and shapes: {value}."
    if model.format in CARRY_A_CARD or place_beside(model.path or ".").is_file():
        return f"Written in the card of {file}: {value}."
    return f"As the authors of this network ({kind_of(card)}) published it: {value}."


CARRY_A_CARD = ("folder", "joined", "ensemble", "bioimageio")
"""Formats that say themselves what they mean."""


def described(card: ModelCard, name: str) -> str:
    """Return the value of a field in words."""
    if name == "architecture":
        if isinstance(network := card.architecture_settings.get("network"), str):
            return f"{network}, {kind_of(card)}"
        widths = card.architecture_settings.get("widths")
        return f"{kind_of(card)}, widths {' '.join(map(str, widths))}" if widths else kind_of(card)
    if name == "dims":
        return "volumes (3D)" if card.dims == 3 else "pictures (2D)"
    if name == "classes":
        return ", ".join(card.classes.names)
    if name == "task":
        return _TASKS[card.task]
    if name == "preprocessing":
        return grey_values(card)
    if name == "pixel_size":
        return range_of(card)
    if name == "pixel_policy":
        return POLICIES[card.pixel_policy]
    if name == "input_size":
        return whole_image(card)
    if name == "batch_norm":
        return STATISTICS[card.batch_norm]
    if name == "thresholds":
        said = [f"{key} {value:g}" for key, value in card.thresholds.items()]
        return ", ".join(said) or "best class"
    if name == "min_size":
        return f"{card.min_size:g} {'voxels' if card.dims == 3 else 'pixels'}"
    if name == "halo":
        if card.windows is not None:
            edges = " × ".join(str(n) for n in card.windows.size)
            return f"patches of {edges} px, each a step of {card.windows.step:g} patches further"
        return "the whole image at once" if card.halo is None else f"{card.halo} px on each side"
    return str(getattr(card, name))


POLICIES = {"resample": "resampled for it", "warn": "taken, with a warning", "go-on": "taken"}
"""What happens to images of another pixel size, in words."""


def whole_image(card: ModelCard) -> str:
    """Return whether it is resized, in words."""
    if card.input_size is None or card.resize == "never":
        return "not resized"
    size = " × ".join(map(str, card.input_size))
    return f"{'if large, ' if card.resize == 'large' else ''}resized to {size} px"


KINDS = {
    "unet": "U-Net",
    "am_segnet": "AM-SegNet",
    "am_unet": "U-Net",
    "am_res_unet": "Res-U-Net",
    "am_squeeze_unet": "Squeeze-U-Net",
    "defectsegnet": "DefectSegNet",
    "dcnn3d": "3D-DCNN",
    "mff_metal": "MFF-Metal",
    "lmffnet": "LMFFNet",
    "unet_pbf": "U-Net for powder beds",
    "transunet": "TransUNet",
    "attention_unet": "Attention U-Net",
    "nested_unet": "U-Net++",
    "bilinear_unet": "U-Net",
    "milesial_unet": "U-Net",
    "group_unet": "U-Net",
    "keras": "Keras network",
    "torchscript": "TorchScript",
    "torch_export": "torch.export",
    "nnunet": "nnU-Net",
    "monai_unet": "MONAI UNet",
    "basic_unet": "MONAI BasicUNet",
    "segresnet": "MONAI SegResNet",
    "dynunet": "MONAI DynUNet",
    "smp_unet": "smp Unet",
    "smp_fpn": "smp FPN",
    "segformer": "SegFormer",
    "upernet": "UPerNet",
    "plain_unet": "plain U-Net",
    "plain_unet_up_first": "plain U-Net, enlarged level first",
    "torch_layers": "chain of layers",
    "monai_package": "network of MONAI",
    "smp_package": "network of smp",
    "transformers_package": "network of transformers",
    "joined": "networks, joined",
    "ensemble": "networks, their mean",
}
"""What networks are called."""


def kind_of(card: ModelCard) -> str:
    """Return the kind of network: ``"2D U-Net"``."""
    return f"{card.dims}D {KINDS.get(card.architecture, card.architecture)}"


def learnt(card: ModelCard) -> str:
    """Return how many numbers it has learnt: ``"0.7 M parameters"``."""
    if not card.parameters:
        return "parameters not known"
    if card.parameters >= 100_000:
        return f"{card.parameters / 1e6:.1f} M parameters"
    return f"{words.count(card.parameters)} parameters"


def grey_values(card: ModelCard) -> str:
    """Return its preprocessing in words."""
    said = []
    steps = [one for step in card.preprocessing for one in getattr(step, "steps", (step,))]
    for step in steps:
        if step.kind == "invert":
            said.append("bright and dark exchanged")
            continue
        if step.limits is not None:
            said.append(f"cut to {step.limits[0]:g} … {step.limits[1]:g}")
        low, high = (1 if step.low is None else step.low), (99 if step.high is None else step.high)
        plain = not (isinstance(low, tuple) or isinstance(high, tuple))
        method = _METHODS[step.method]
        method = method.format(low=low, high=high) if plain else step.method
        said.append(f"{method}, {_SCOPES[step.scope]}")
    return "; ".join(said) or "as they are"


def range_of(card: ModelCard) -> str:
    """Return the pixel sizes it was made for."""
    if card.pixel_size is None:
        return "not stated"
    low, high = card.pixel_size
    size = f"{low:.4g}" if low == high else numbers.span(low, high)
    return f"{size} {card.pixel_unit}/px"


def fit_of(card: ModelCard, image: CalibratedImage) -> tuple[str, str]:
    """Return ``"ok"``, ``"warning"`` or ``"info"``, and whether an image fits, as a sentence."""
    if card.dims == 3 and "z" not in image.axes:
        return "warning", f"This model needs a volume; {image.name} is a picture."
    axes = ("z", "y", "x") if card.dims == 3 else ("y", "x")
    try:
        scale = scale_of(card, image, "card", axes)
    except ImageError as error:
        return "warning", str(error)
    if card.resize != "never" and scale.sentence:
        return "info", scale.sentence
    nearest = nearest_size(card, image)
    if scale.resampling is not None and nearest is not None:
        at = " × ".join(dict.fromkeys(f"{size:.4g}" for size in nearest))
        return "info", (
            f"Image {_sizes(card, image)}, model {range_of(card)}: it will see the image at {at} "
            f"{card.pixel_unit}/px; everything is measured on the image itself."
        )
    if card.pixel_size is None:
        return "info", "The model does not say for which pixel size it was made."
    warning = pixel_size_warning(card, image)
    if warning and card.pixel_policy == "go-on":
        return "info", f"{warning.partition(', so look')[0]}; taken as it is, as you said."
    if warning:
        return "warning", warning
    return "ok", f"Image {_sizes(card, image)}, model {range_of(card)}: fits."


def _sizes(card: ModelCard, image: CalibratedImage) -> str:
    """Return the pixel sizes that a model sees, in its unit."""
    seen = image.calibration if card.dims == 3 else image.calibration.in_plane
    factor = ratio(seen.unit, card.pixel_unit)
    sizes = sorted({float(f"{step * factor:.4g}") for step in seen.steps})
    return " – ".join(
        f"{size:.4g}" for size in (sizes if len(sizes) == 1 else sizes[:: len(sizes) - 1])
    )


def ways_out(card: ModelCard, image: CalibratedImage) -> tuple[tuple[str, str], ...]:
    """Return what can be done about a pixel size outside the model's: words, and the policy."""
    if not pixel_size_warning(card, image) or nearest_size(card, image) is None:
        return ()
    if card.input_size is not None and card.resize != "never":
        return ()
    every = (
        ("Resample for the model", "resample"),
        ("Go on as it is", "go-on"),
        ("Warn only", "warn"),
    )
    return tuple(one for one in every if one[1] != card.pixel_policy)


STATISTICS = {
    "image": "of each image, as published",
    "calibrated": "of one chosen image",
    "moving": "of the training",
}
"""What batch normalisation uses, in words."""
_STATISTICS = {
    "image": "Each image is measured as a whole: a place's result depends on the rest of its "
    "image, and large images need much memory.",
    "calibrated": "Measured once on {on} and kept: every image is treated alike and may be cut "
    "into tiles.",
    "moving": "Averages kept during training. After a short training they are far from settled; "
    "DefectSegNet's give one value everywhere.",
}


def statistics(card: ModelCard) -> str:
    """Return what it means which statistics batch normalisation uses."""
    return _STATISTICS[card.batch_norm].format(on=card.training.get("calibrated_on", "an image"))


SHIPPED = {"tem-defects": "TEM defects", "tomogram-pores": "Pores in tomograms"}
"""What the models that come with the program are called."""


def title_of(model: Model) -> str:
    """Return what a person calls a model."""
    return SHIPPED.get(model.card.name, model.card.name)


def title_at(path: str) -> str:
    """Return what a person calls the model at a path, before it is opened."""
    file = Path(path)
    return SHIPPED.get(file.name, file.name)
