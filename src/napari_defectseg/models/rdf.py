"""The description in a bioimage.io package (0.4 and 0.5), as fields of a card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from napari_defectseg.core.errors import ModelError
from napari_defectseg.core.units import normalise_length
from napari_defectseg.models.preprocess import Normalise, Preprocessing

DESCRIPTIONS = ("rdf.yaml", "bioimageio.yaml", "model.yaml")
"""Names that a description has."""
LONGEST = 1 << 20
DEEPEST = 50
SPATIAL = "zyx"


@dataclass
class Described:
    """What a description says.

    Parameters
    ----------
    fields : dict
        Fields of a card.
    names : tuple of str
        Of the channels of the output.
    quirks : list of str
        What could not be carried over, as sentences.
    missing : set of str
        Fields that the description leaves open.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    quirks: list[str] = field(default_factory=list)
    missing: set[str] = field(default_factory=set)


def read_yaml(data: bytes, where: str) -> dict[str, Any]:
    """Return the table in a YAML text; only plain values, no references inside it.

    Raises
    ------
    ModelError
        If it is no such table, or asks for objects.
    """
    import yaml

    if len(data) > LONGEST:
        raise ModelError(f"{where} is {len(data)} bytes long, too long for a description.")
    try:
        text, depth = data.decode("utf-8"), 0
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            depth += isinstance(event, yaml.events.CollectionStartEvent)
            depth -= isinstance(event, yaml.events.CollectionEndEvent)
            if isinstance(event, yaml.events.AliasEvent) or depth > DEEPEST:
                raise ModelError(f"{where} refers to itself or is too deep, so it is not read.")
        values = yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError, ValueError) as error:
        reason = str(error).splitlines()[0] if str(error) else "strange"
        raise ModelError(f"{where} is not a plain YAML text: {reason}.") from error
    if not isinstance(values, dict):
        raise ModelError(f"{where} is no description of a model.")
    return values


def described(rdf: Mapping[str, Any], where: str) -> Described:
    """Return what a description says about a model with one input and one output.

    Raises
    ------
    ModelError
        If it describes something else.
    """
    version = str(rdf.get("format_version", ""))
    if rdf.get("type") != "model" or not version.startswith(("0.4.", "0.5.")):
        raise ModelError(
            f"{where} describes {rdf.get('type', 'nothing')!r} in version {version or 'none'}; "
            "models of 0.4 and 0.5 are read."
        )
    inputs, outputs = _tables(rdf.get("inputs")), _tables(rdf.get("outputs"))
    if len(inputs) != 1 or len(outputs) != 1:
        raise ModelError(f"{where} has {len(inputs)} inputs and {len(outputs)} outputs, not one.")
    found = Described()
    for name, word in (("name", "name"), ("description", "description"), ("licence", "license")):
        if rdf.get(word):
            found.fields[name] = str(rdf[word])
    cited = "; ".join(_cited(item) for item in _tables(rdf.get("cite")))
    found.fields.update({"citation": cited} if cited else {})
    _pixel_size(inputs[0], found)
    _preprocessing(inputs[0], found)
    _outputs(outputs[0], found)
    return found


def test_tensors(rdf: Mapping[str, Any]) -> tuple[str, str]:
    """Return the names of the arrays to test with, empty where there are none."""
    found = []
    for side in ("inputs", "outputs"):
        old = rdf.get(f"test_{side}")
        tensors = _tables(rdf.get(side))
        new = tensors[0].get("test_tensor") if tensors else None
        name = old[0] if isinstance(old, list) and old else None
        name = new.get("source") if isinstance(new, dict) else name
        found.append(name if isinstance(name, str) else "")
    return found[0], found[1]


def axes_of(tensor: Mapping[str, Any]) -> str:
    """Return the axes of an input or output, a letter each: b, c, z, y, x; others as ``?``.

    Version 0.4 writes ``"bcyx"``, version 0.5 a list of tables.
    """
    axes = tensor.get("axes")
    if isinstance(axes, str):
        return axes
    known = {"batch": "b", "channel": "c"}
    names = [(str(axis.get("type")), str(axis.get("id", ""))) for axis in _tables(axes)]
    return "".join(
        known.get(kind, name if name in SPATIAL and name else "?") for kind, name in names
    )


def test_axes(rdf: Mapping[str, Any]) -> tuple[str, str]:
    """Return the axes of the arrays to test with."""
    sides = (_tables(rdf.get(side)) for side in ("inputs", "outputs"))
    first, second = (axes_of(tensors[0]) if tensors else "" for tensors in sides)
    return first, second


def _tables(value: Any) -> list[dict[str, Any]]:
    return [v for v in value if isinstance(v, dict)] if isinstance(value, list) else []


def _cited(item: Mapping[str, Any]) -> str:
    return " ".join(str(item[key]) for key in ("text", "doi", "url") if item.get(key))


def _pixel_size(tensor: Mapping[str, Any], found: Described) -> None:
    sizes = set()
    for axis in _tables(tensor.get("axes")):
        scale, unit = axis.get("scale"), str(axis.get("unit") or "")
        known = normalise_length(unit)
        if axis.get("type") == "space" and known and isinstance(scale, int | float) and scale > 0:
            sizes.add((float(scale) * known[0], known[1]))
    units = {unit for _, unit in sizes}
    if len(units) == 1:
        values = [size for size, _ in sizes]
        found.fields |= {"pixel_size": (min(values), max(values)), "pixel_unit": units.pop()}


def _preprocessing(tensor: Mapping[str, Any], found: Described) -> None:
    steps: list[Preprocessing] = []
    for step in _tables(tensor.get("preprocessing")):
        name = str(step.get("id", step.get("name")))
        kwargs = step.get("kwargs")
        made = _step(name, kwargs if isinstance(kwargs, dict) else {})
        if made is None:
            found.quirks.append(f"Its preparation {name!r} is not known here and is left out.")
            found.missing.add("preprocessing")
        else:
            steps += made
    found.fields["preprocessing"] = tuple(steps)


def _step(name: str, kwargs: Mapping[str, Any]) -> list[Preprocessing] | None:
    """Return a step of ours, None where there is none; what does nothing is an empty list."""
    axes = kwargs.get("axes")
    letters = {str(a)[0] for a in axes} if isinstance(axes, list | str) else {"c", *SPATIAL}
    apart = "c" not in letters
    known = kwargs.get("mode", "per_sample") in ("per_sample", "fixed")
    try:
        if name == "ensure_dtype":
            return []
        if not known or "reference_tensor" in kwargs:
            return None
        if name == "scale_range":
            low, high = kwargs.get("min_percentile", 0.0), kwargs.get("max_percentile", 100.0)
            return [
                Normalise(method="percentile", scope="slice", low=low, high=high, per_channel=apart)
            ]
        if "fixed" in (name.split("_")[0], kwargs.get("mode")):
            mean, std = _values(kwargs["mean"]), _values(kwargs["std"])
            return [Normalise(method="zscore", scope="constant", low=mean, high=std)]
        if name == "zero_mean_unit_variance":
            return [Normalise(method="zscore", scope="slice", per_channel=apart)]
        if name == "scale_linear":
            gain, offset = float(kwargs.get("gain", 1.0)), float(kwargs.get("offset", 0.0))
            low = -offset / gain
            return [Normalise(method="minmax", scope="constant", low=low, high=low + 1 / gain)]
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None
    return None


def _values(value: Any) -> float | tuple[float, ...]:
    return tuple(float(v) for v in value) if isinstance(value, list) else float(value)


def _outputs(tensor: Mapping[str, Any], found: Described) -> None:
    for axis in _tables(tensor.get("axes")):
        if axis.get("type") == "channel" and isinstance(axis.get("channel_names"), list):
            found.names = tuple(str(name) for name in axis["channel_names"])
    steps = [str(s.get("id", s.get("name"))) for s in _tables(tensor.get("postprocessing"))]
    for name in steps:
        if name in ("softmax", "sigmoid"):
            found.fields["activation"] = name
        elif name != "ensure_dtype":
            found.quirks.append(f"What it does afterwards, {name!r}, is not known here.")
    if "activation" not in found.fields:
        found.missing |= {"activation", "task"}
