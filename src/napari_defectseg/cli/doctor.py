"""``defectseg doctor``: what this machine has, and what is missing."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

from napari_defectseg.cli.work import Debug, Json, Quiet, working

EXAMPLE = "Example: defectseg doctor --json"
PACKAGES = ("napari", "torch", "numpy", "scipy", "scikit-image", "numba", "tifffile", "zarr")
BINDINGS = ("PyQt6", "PySide6", "PyQt5", "PySide2")


def doctor(*, as_json: Json = False, quiet: Quiet = False, debug: Debug = False) -> None:
    """Say what this machine has and what is missing: devices, window, formats, models."""
    with working(as_json=as_json, quiet=quiet, debug=debug) as work:
        found = examined()
        for sentence in found["missing"]:
            work.note(f"Missing: {sentence}")
        work.result(found, _words(found))


def examined() -> dict[str, Any]:
    """Return what was found, as plain JSON values."""
    from napari_defectseg import __version__
    from napari_defectseg.inference.devices import describe
    from napari_defectseg.models.open import shipped_models
    from napari_defectseg.models.trust.record import listed
    from napari_defectseg.models.worker.confine import confinement_here

    devices = describe()
    binding = next((name for name in BINDINGS if find_spec(name)), "")
    versions = {name: _version(name) for name in PACKAGES}
    containers = find_spec("rsciio") is not None
    models = list(shipped_models())
    trusted = [{"name": r.name, "sha256": r.sha256, "when": r.when} for r in listed()]
    return {
        "version": __version__,
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
        "processors": os.cpu_count(),
        "free_disk_bytes": shutil.disk_usage(".").free,
        "versions": versions,
        "devices": [{"name": d.name, "title": d.title, "reason": d.reason} for d in devices],
        "window": {"qt": binding, "display": _has_display()},
        "containers": containers,
        "models": models,
        "confinement": confinement_here(),
        "trusted": trusted,
        "missing": _missing(versions, binding, containers, models),
    }


def _missing(
    versions: dict[str, str], binding: str, containers: bool, models: list[str]
) -> list[str]:
    lacking = [f"{name}: pip install {name}" for name, found in versions.items() if not found]
    if not binding:
        lacking.append("a Qt binding for the window: pip install 'napari[pyqt6]'")
    if not _has_display():
        lacking.append("a display: view and demo need one, or xvfb-run; everything else works")
    if not containers:
        lacking.append(
            "readers of dm3, dm4, ser and emd: pip install 'napari-defectseg[containers]'"
        )
    if not models:
        lacking.append("models that come with the program: this is a copy without them")
    return lacking


def _has_display() -> bool:
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _words(found: dict[str, Any]) -> str:
    lines = [
        f"napari-defectseg {found['version']}, Python {found['python']}, {found['system']}",
        *(f"  {one['name']}: {one['title']}. {one['reason']}".rstrip() for one in found["devices"]),
        f"  processors: {found['processors']}; free disk: {found['free_disk_bytes'] / 1e9:.0f} GB",
        "  " + ", ".join(f"{name} {value}" for name, value in found["versions"].items() if value),
        f"  window: {found['window']['qt'] or 'no Qt binding'}",
        f"  models: {', '.join(found['models']) or 'none'}",
        f"  programs in model files: {found['confinement']}",
    ]
    trusted = [
        f"{one['name']} ({one['sha256'][:12]}, {one['when'][:10]})" for one in found["trusted"]
    ]
    lines += [f"  trusted programs: {', '.join(trusted)}"] if trusted else []
    return "\n".join(lines)
