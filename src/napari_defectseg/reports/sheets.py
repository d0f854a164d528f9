"""The tables of a report: numbers, what was left out, the largest objects, provenance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from napari_defectseg.core import numbers
from napari_defectseg.measurement.table import RegionTable
from napari_defectseg.reports.methods import checked_objects, image_blocks
from napari_defectseg.reports.reported import Reported
from napari_defectseg.reports.sheet import Sheet
from napari_defectseg.reports.together import Numbers
from napari_defectseg.reports.uncertainty import label

SHOWN_HASH = 16
SIZE = "equivalent_diameter_area"
LISTED = (
    "image",
    "label",
    "frame",
    "class",
    SIZE,
    "area",
    "centroid-0",
    "centroid-1",
    "centroid-2",
)
"""Columns of the list of largest objects, where they are there."""


def numbers_sheet(classes: Numbers, title: str) -> Sheet:
    """Return the numbers of each class beside one another, with their intervals."""
    names = tuple(classes)
    quantities = dict.fromkeys(name for found in classes.values() for name in found)
    rows = []
    for quantity in quantities:
        found = [classes[name].get(quantity) for name in names]
        unit = next((one["unit"] for one in found if one and one["unit"]), "")
        heading = f"{label(quantity)} [{unit}]" if unit else label(quantity)
        rows.append((heading, *(_written(one) for one in found)))
    note = "± and ranges: 95 % intervals of chance alone; other errors stand in their own table."
    columns = frozenset(range(1, len(names) + 1))
    return Sheet(title, ("quantity", *names), tuple(rows), note, columns)


def images_sheet(results: Sequence[Reported]) -> Sheet:
    """Return one row an image and class: where, how many, which share, which mean size."""
    rows = []
    for one in results:
        for name, found in one.summary["classes"].items():
            size = found["mean_equivalent_diameter"]
            rows.append(
                (
                    one.name,
                    one.specimen or numbers.NOT_DEFINED,
                    name,
                    _written(found["objects"]),
                    _percent(found["fraction"]),
                    _with_unit(size),
                )
            )
    headings = ("image", "specimen", "class", "objects", "fraction", "mean diameter")
    return Sheet("Image by image", headings, tuple(rows), numeric=frozenset({3, 4, 5}))


def left_out_sheet(results: Sequence[Reported]) -> Sheet:
    """Return what was not counted, and how much of the objects a person has checked."""
    rows = []
    for one in results:
        region = one.summary.get("region") or {}
        excluded, counted = region.get("excluded_pixels", 0), region.get("pixels", 0)
        share = excluded / (excluded + counted) if excluded + counted else 0.0
        border = sum((region.get("border_objects_left_out") or {}).values())
        decode = (one.summary.get("settings") or {}).get("decode") or {}
        checked, objects = checked_objects([one])
        rows.append(
            (
                one.name,
                f"{100 * share:.3g} %",
                numbers.count(border),
                _too_small(region, float(decode.get("min_size") or 0)),
                f"{numbers.count(checked)} of {numbers.count(objects)}",
            )
        )
    headings = ("image", "area not counted", "at the border", "too small", "checked by a person")
    return Sheet("What was left out, and what was checked", headings, tuple(rows))


def _too_small(region: Mapping[str, Any], dropped: float) -> str:
    """Say how many objects were too small; those that a model's answer drops are not counted."""
    smallest = float((region.get("min_size") or {}).get("value", 1))
    left = region.get("too_small_left_out", 0)
    parts = [f"{numbers.count(left)} below {smallest:g} px"] if smallest > 1 else []
    if dropped > 1:
        parts.append(f"below {dropped:g} px never made, number not kept")
    return "; ".join(parts) or "none"


def largest_sheet(table: RegionTable, count: int) -> Sheet | None:
    """Return the largest objects of each class; None where there is nothing to list."""
    if SIZE not in table or not len(table) or not count:
        return None
    names = [name for name in LISTED if name in table]
    wanted = table.classes.names if table.classes is not None else ("",)
    rows: list[tuple[str, ...]] = []
    for name in wanted:
        own = np.flatnonzero(table.rows_of(name))
        order = own[np.argsort(-np.nan_to_num(table[SIZE][own]), kind="stable")][:count]
        rows += [tuple(_cell(table[column][row]) for column in names) for row in order]
    numeric = frozenset(k for k, name in enumerate(names) if table[name].dtype.kind in "iuf")
    headings = tuple(_heading(table, name) for name in names)
    return Sheet("The largest objects", headings, tuple(rows), "", numeric)


def provenance_sheet(results: Sequence[Reported]) -> Sheet:
    """Return which files, model, settings and versions made each result."""
    rows: list[tuple[str, str, str]] = []
    for one in results:
        rows += [(one.name if not k else "", *pair) for k, pair in enumerate(_made(one.summary))]
    return Sheet("Provenance", ("result", "what", "which"), tuple(rows))


def _heading(table: RegionTable, name: str) -> str:
    axes = "zyx" if "centroid-2" in table else "yx"
    short = {SIZE: "diameter", **{f"centroid-{k}": axis for k, axis in enumerate(axes)}}
    heading = table.heading(name)
    return heading.replace(name, short.get(name, name), 1)


def _made(summary: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = [
        ("image", f"{_file(block)}, SHA-256 {block['sha256']}") for block in image_blocks(summary)
    ]
    for block in image_blocks(summary):
        source = f" ({block['pixel_size_source']})" if block.get("pixel_size_source") else ""
        steps = " × ".join(f"{step:.6g}" for step in block["pixel_size"])
        found.append(("pixel size", f"{steps} {block['unit']}{source}"))
    model = summary.get("model")
    if model:
        found.append(("model", f"{model['name']}, SHA-256 {model['sha256']}"))
        found += [("model file", f"{name}, SHA-256 {sha}") for name, sha in model["files"].items()]
    for name, value in (summary.get("settings") or {}).items():
        if name == "model":
            found += _opened(value)
            continue
        if value not in (None, {}, []):
            found.append((f"settings: {name}", _plain(value)))
    if summary.get("plan"):
        found.append(("plan", _plain(summary["plan"])))
    if summary.get("acquisition"):
        found.append(("acquisition", _plain(summary["acquisition"])))
    found.append(("versions", _plain(summary["versions"])))
    found.append(("created", str(summary["created"])))
    return found


def _opened(reference: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return how a model was opened: what a person set, and the models it is made of."""
    set_by_hand = reference.get("settings") or {}
    found = [("settings: model", _plain(set_by_hand))] if set_by_hand else []
    members = reference.get("members") or ()
    found += [("one of the models", f"{one['name']}, SHA-256 {one['sha256']}") for one in members]
    return found


def _file(block: Mapping[str, Any]) -> str:
    """Return the name of an image file: folders of one computer say nothing to a reader."""
    name = str(block["path"]).replace("\\", "/").rsplit("/", 1)[-1] or str(block["name"])
    return f"{name}::{block['part']}" if block.get("part") else name


def _plain(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_plain(item)}" for name, item in value.items()) or "none"
    if isinstance(value, list | tuple):
        return " × ".join(_plain(item) for item in value) if value else "none"
    if value is None:
        return "default"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _written(estimate: Mapping[str, Any] | None) -> str:
    if estimate is None or estimate["value"] is None:
        return numbers.NOT_DEFINED
    if estimate.get("low") is None and float(estimate["value"]).is_integer():
        return numbers.count(int(estimate["value"]))
    return numbers.with_interval(estimate["value"], estimate.get("low"), estimate.get("high"))


def _with_unit(estimate: Mapping[str, Any]) -> str:
    text = _written(estimate)
    return text if text == numbers.NOT_DEFINED else f"{text} {estimate['unit']}".strip()


def _percent(estimate: Mapping[str, Any]) -> str:
    value = estimate["value"]
    return numbers.NOT_DEFINED if value is None else f"{numbers.plain(100 * value)} %"


def _cell(value: Any) -> str:
    plain = value.item() if hasattr(value, "item") else value
    return numbers.plain(plain) if isinstance(plain, float) else str(plain)
