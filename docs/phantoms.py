"""Make the pictures of ``docs/explanation/phantoms.md``.

    python docs/phantoms.py

Each sheet shows phantoms above, and the same with the outlines of the truth below.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from skimage.segmentation import find_boundaries

from napari_defectseg.phantoms.make import phantom
from napari_defectseg.phantoms.phantom import Phantom

PICTURES = Path(__file__).parent / "pictures"
LARGEST = 200_000
"""Bytes of a picture."""
GAP = 4
LEVELS = (56, 40, 28, 20)
"""Grey levels, or colours, to try; the finest palette that gives a small enough file is kept."""


def plane(made: Phantom, coarser: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return one plane as RGB, its mask, its instances: the middle slice, a late frame."""
    grey, mask, instances = made.image.read(), made.mask, made.instances
    if mask.ndim == 3:
        at = (3 * len(mask)) // 4 if made.kind == "movie" else len(mask) // 2
        grey, mask, instances = grey[at], mask[at], instances[at]
    low, high = np.percentile(grey, [0.3, 99.7])
    scaled = np.clip((grey - low) / max(high - low, 1e-9), 0, 1) * 255
    shown = scaled if grey.ndim == 3 else np.repeat(scaled[..., None], 3, axis=2)
    rows, columns = (n // coarser for n in mask.shape)
    shown = shown.reshape(rows, coarser, columns, coarser, 3).mean((1, 3))
    return shown.astype(np.uint8), mask[::coarser, ::coarser], instances[::coarser, ::coarser]


def sheet(pictures: list[Phantom], coarser: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return a row of phantoms above the same again, and the class value of outlines there."""
    tiles, marks = [], []
    for made in pictures:
        shown, mask, instances = plane(made, coarser)
        edge = find_boundaries(instances, mode="inner") * mask
        blank = np.zeros_like(edge)
        tiles.append(_framed([shown, shown], 255))
        marks.append(_framed([blank, edge], 0))
    return np.hstack(tiles)[:-GAP, :-GAP], np.hstack(marks)[:-GAP, :-GAP]


def _framed(parts: list[np.ndarray], fill: int) -> np.ndarray:
    """Return the parts below each other, with a gap below and to the right of each."""
    gaps = ((0, GAP), (0, GAP), (0, 0))
    return np.vstack([np.pad(part, gaps[: part.ndim], constant_values=fill) for part in parts])


def save(name: str, pictures: list[Phantom], coarser: int = 1) -> None:
    """Write a PNG with as many levels as its size allows; outlines keep their exact colours."""
    path = PICTURES / f"phantoms-{name}.png"
    shown, marks = sheet(pictures, coarser)
    classes = pictures[0].classes
    for levels in LEVELS:
        image = Image.fromarray(shown).quantize(levels, dither=Image.Dither.NONE)
        palette = (image.getpalette() or [])[: 3 * levels]
        palette += [0] * (3 * levels - len(palette))
        index = np.asarray(image).copy()
        for number, item in enumerate(classes):
            index[marks == item.value] = levels + number
            palette += [int(item.colour[k : k + 2], 16) for k in (1, 3, 5)]
        result = Image.fromarray(index)
        result.putpalette(palette)
        result.save(path, optimize=True)
        if path.stat().st_size < LARGEST:
            break
    print(f"{path.name}: {path.stat().st_size // 1000} kB, {levels} levels")


def main() -> None:
    """Write all of them."""
    PICTURES.mkdir(exist_ok=True)
    large = (400, 440)
    scenes = ("mixed", "voids", "decorated", "damage")
    micrographs = [
        phantom("micrograph", seed=s, shape=large, scene=name)
        for s, name in zip((12, 3, 5, 8), scenes, strict=True)
    ]
    save("micrographs", micrographs, 2)
    surfaces = [
        phantom("surface", seed=s, shape=large, colour=True, pitted=pitted, turned=turned)
        for s, pitted, turned in ((1, 0.0, 0.0), (9, 1.0, 0.0), (15, 1.0, 1.0), (4, 0.0, 1.0))
    ]
    save("surfaces", surfaces, 2)
    movies = [
        phantom("movie", seed=s, shape=(16, 130, 300), above=above)
        for s, above in ((0, "dark"), (10, "dark"), (1, "bright"))
    ]
    save("movies", movies)
    tomograms = [
        phantom("tomogram", seed=s, shape=(48, 160, 160), specimen=form)
        for s, form in ((1, "cylinder"), (2, "box"), (3, "full"), (6, "cylinder"))
    ]
    save("tomograms", tomograms)


if __name__ == "__main__":
    main()
