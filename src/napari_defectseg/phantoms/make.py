"""One way to every kind of phantom: `phantom(kind, seed=…, shape=…, …)`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

from napari_defectseg.core.errors import ImageError
from napari_defectseg.phantoms.phantom import Phantom

KINDS = ("micrograph", "surface", "movie", "tomogram")
SHAPES: dict[str, tuple[int, ...]] = {
    "micrograph": (512, 512),
    "surface": (512, 512),
    "movie": (24, 192, 512),
    "tomogram": (96, 96, 96),
}
"""Shape of each kind where none is asked for: (y, x), (t, y, x), (z, y, x)."""


def phantom(
    kind: str = "micrograph", *, seed: int = 0, shape: Sequence[int] | None = None, **settings: Any
) -> Phantom:
    """Return a synthetic image with exact truth.

    Parameters
    ----------
    kind : str
        One of `KINDS`.
    seed : int
        The same seed, shape and settings give the same bytes.
    shape : sequence of int, optional
        Spatial axes; movies (t, y, x). See `SHAPES`.
    **settings
        Fields of the kind's settings type (`MicrographSettings`, `SurfaceSettings`,
        `MovieSettings`, `TomogramSettings`), or ``settings=`` such a value. Micrographs also take
        ``scene=``, a name of `SCENES` or ``"varied"``.

    Raises
    ------
    ImageError
        If the kind, scene or a setting is unknown, or the shape does not fit the kind.
    """
    if kind not in KINDS:
        raise ImageError(f"There is no phantom {kind!r}.", hint=f"Known: {', '.join(KINDS)}.")
    usual = SHAPES[kind]
    size = usual if shape is None else tuple(int(n) for n in shape)
    if len(size) != len(usual) or min(size) < 1:
        raise ImageError(
            f"A {kind} phantom needs {len(usual)} positive lengths; {size} was given.",
            hint=f"For example {' '.join(map(str, usual))}.",
        )
    if seed < 0:
        raise ImageError(f"A seed is a whole number from 0; {seed} was given.")
    return _MAKERS[kind](seed, size, dict(settings))


def _chosen(kind: str, start: Any, given: dict[str, Any]) -> Any:
    """Return the settings value: `start`, or the one given, with single fields replaced."""
    base = given.pop("settings", start)
    known = [item.name for item in fields(base)]
    for name in given:
        if name not in known:
            raise ImageError(
                f"A {kind} phantom has no setting {name!r}.", hint=f"Known: {', '.join(known)}."
            )
    return replace(base, **given)


def _micrograph(seed: int, shape: tuple[int, ...], given: dict[str, Any]) -> Phantom:
    from napari_defectseg.phantoms.micrographs import micrograph, scene_settings
    from napari_defectseg.phantoms.scenes import SCENES

    scene = given.pop("scene", "mixed")
    if scene != "varied" and scene not in SCENES:
        raise ImageError(
            f"There is no scene {scene!r}.", hint=f"Known: {', '.join([*SCENES, 'varied'])}."
        )
    settings = _chosen("micrograph", scene_settings(scene, seed), given)
    return micrograph(settings, seed=seed, shape=(shape[0], shape[1]))


def _surface(seed: int, shape: tuple[int, ...], given: dict[str, Any]) -> Phantom:
    from napari_defectseg.phantoms.surface_settings import SurfaceSettings
    from napari_defectseg.phantoms.surfaces import surface

    return surface(
        _chosen("surface", SurfaceSettings(), given), seed=seed, shape=(shape[0], shape[1])
    )


def _movie(seed: int, shape: tuple[int, ...], given: dict[str, Any]) -> Phantom:
    from napari_defectseg.phantoms.movie_settings import MovieSettings
    from napari_defectseg.phantoms.movies import movie

    settings = _chosen("movie", MovieSettings(), given)
    return movie(settings, seed=seed, shape=(shape[0], shape[1], shape[2]))


def _tomogram(seed: int, shape: tuple[int, ...], given: dict[str, Any]) -> Phantom:
    from napari_defectseg.phantoms.tomogram_settings import TomogramSettings
    from napari_defectseg.phantoms.tomograms import tomogram

    settings = _chosen("tomogram", TomogramSettings(), given)
    return tomogram(settings, seed=seed, shape=(shape[0], shape[1], shape[2]))


_MAKERS = {
    "micrograph": _micrograph,
    "surface": _surface,
    "movie": _movie,
    "tomogram": _tomogram,
}
