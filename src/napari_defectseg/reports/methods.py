"""The paragraph for the methods section, from what the summaries say and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from napari_defectseg.core import numbers
from napari_defectseg.reports.reported import Reported

NEIGHBOURS = {1: "share a face", 2: "share a face or an edge", 3: "touch at all"}
BORDERS = {
    "count": "Objects that touch the border of the counted region were counted whole.",
    "exclude": "Objects that touch the border of the counted region were left out of counts and "
    "sizes; their area stays in the fraction.",
    "frame": "Objects at the first edges of the counted region were left out (counting frame).",
    "weight": "Objects wholly inside the counted region were weighted by one over the room that "
    "they have to lie in (Miles–Lantuéjoul).",
}
UNKNOWN = "an unknown pixel size (sizes in px)"


def methods(results: Sequence[Reported]) -> str:
    """Return what was done, in sentences for a paper."""
    parts = (_images(results), _model(results), _objects(results), _people(results), _program())
    return " ".join(part for part in parts if part)


def _images(results: Sequence[Reported]) -> str:
    blocks = [block for one in results for block in image_blocks(one.summary)]
    count = len(blocks)
    specimens = {one.specimen for one in results if one.specimen}
    of = f" of {_counted(len(specimens), 'specimen')}" if specimens else ""
    were = "was" if count == 1 else "were"
    return f"{_counted(count, 'image')}{of} with {_sizes(blocks)} {were} analysed."


def _sizes(blocks: Sequence[Mapping[str, Any]]) -> str:
    found = list(dict.fromkeys(pixel_size(block) for block in blocks))
    if len(found) == 1:
        unknown = found[0] == UNKNOWN
        return found[0] if unknown else f"a pixel size of {found[0]}"
    return f"pixel sizes of {', '.join(found[:-1])} and {found[-1]}"


def _model(results: Sequence[Reported]) -> str:
    made = [one.summary for one in results if one.summary.get("model")]
    if not made:
        return "The masks were made elsewhere."
    names = _joined(
        f"“{one['model']['name']}” (SHA-256 {one['model']['sha256'][:12]}…)" for one in made
    )
    chosen = _joined(_thresholds(one) for one in made)
    plan = _joined(_plan(one) for one in made)
    return f"Defects were segmented with the model {names}{chosen}{plan}."


def _thresholds(summary: Mapping[str, Any]) -> str:
    known = ((summary.get("settings") or {}).get("decode") or {}).get("thresholds") or {}
    if not known:
        return ", each pixel by its most probable class"
    listed = ", ".join(f"{name} {value:g}" for name, value in known.items())
    return f" at probability thresholds of {listed}"


def _plan(summary: Mapping[str, Any]) -> str:
    plan = summary.get("plan") or {}
    if not plan:
        return ""
    tiles = f", {plan['tiles']} tiles an image" if plan.get("tiles", 1) > 1 else ""
    engine, dtype = str(plan.get("engine")), str(plan.get("dtype"))
    kind = "" if dtype in engine else f" in {dtype}"
    return f", computed by {engine} on {plan.get('device')}{kind}{tiles}"


def _objects(results: Sequence[Reported]) -> str:
    measure = [(one.summary.get("settings") or {}).get("measure") or {} for one in results]
    decode = [(one.summary.get("settings") or {}).get("decode") or {} for one in results]
    neighbours = _joined(_neighbours(known.get("connectivity")) for known in measure)
    smallest = max(
        [float(known.get("min_size") or 0) for known in (*measure, *decode)], default=0.0
    )
    sentences = [f"An object is a set of pixels of one class that {neighbours}."]
    if smallest > 1:
        sentences.append(f"Objects of fewer than {smallest:g} pixels were taken for noise.")
    sentences.append(
        _joined(
            BORDERS.get((one.summary.get("region") or {}).get("border", ""), "") for one in results
        )
    )
    sentences.append(
        "Diameters are those of a circle (ball) of the same area (volume), uncorrected for blur."
    )
    return " ".join(sentence for sentence in sentences if sentence)


def _neighbours(connectivity: int | None) -> str:
    return NEIGHBOURS.get(connectivity or 3, NEIGHBOURS[3])


def _people(results: Sequence[Reported]) -> str:
    checked, objects = checked_objects(results)
    edits: dict[str, int] = {}
    for one in results:
        for person, count in (one.summary.get("people") or {}).items():
            edits[person] = edits.get(person, 0) + count
    if not checked and not edits:
        return "No object was checked by a person."
    parts = [
        f"{numbers.count(checked)} of {numbers.count(objects)} objects were checked by a person"
    ]
    if edits:
        listed = ", ".join(f"{count} by {person}" for person, count in edits.items())
        parts.append(f"{_counted(sum(edits.values()), 'correction')} were made by hand ({listed})")
    return "; ".join(parts) + "."


def _program() -> str:
    from napari_defectseg.core.provenance import versions

    found = versions()
    return (
        f"The report was made with napari-defectseg {found['napari-defectseg']}; the versions "
        "that made each result stand under provenance."
    )


def checked_objects(results: Sequence[Reported]) -> tuple[int, int]:
    """Return how many objects a person has checked, and how many there are."""
    checked = sum(len(one.summary.get("checked") or ()) for one in results)
    return checked, sum(len(one.table) for one in results)


def image_blocks(summary: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the block ``image`` of each image of a summary."""
    return [summary["image"]] if summary.get("image") else list(summary.get("images") or ())


def pixel_size(block: Mapping[str, Any]) -> str:
    """Return the pixel size of an image, for a sentence."""
    if block["unit"] == "px":
        return UNKNOWN
    steps = [f"{step:.4g}" for step in block["pixel_size"]]
    shown = steps[0] if len(set(steps)) == 1 else " × ".join(steps)
    return f"{shown} {block['unit']}"


def _joined(texts: Iterable[str]) -> str:
    """Return different texts, each once."""
    return " or ".join(dict.fromkeys(texts))


def _counted(count: int, what: str) -> str:
    return f"{numbers.count(count)} {what}{'s' * (count != 1)}"
