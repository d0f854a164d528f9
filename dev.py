#!/usr/bin/env python3
"""Everything a developer or a first-time user runs, with nothing but Python 3.11 at hand.

    python3 dev.py demo                 the main job on samples made here, with pictures
    python3 dev.py demo --image FILE    the same with your own image
    python3 dev.py test [--all] [...]   the test suite, docks included; --all adds the long tests
    python3 dev.py lint                 ruff, mypy, import-linter
    python3 dev.py docs                 the documentation, warnings as errors, into site/
    python3 dev.py bench [NAME ...]     the benchmarks: ratios from paired runs
    python3 dev.py shots                pictures of every dock into docs/pictures/

Each makes `.venv` and installs what it needs, once.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
MOST_PROCESSES = 4
"""That run tests side by side; those with windows stay in one, for windows share the keyboard."""
DISPLAY_PACKAGES = """
    xvfb xauth libgl1 libegl1 libopengl0 libgl1-mesa-dri libglx-mesa0 libdbus-1-3 libfontconfig1
    libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0
    libxcb-render-util0 libxcb-shape0 libxcb-xinerama0 libxcb-xkb1
""".split()  # noqa: SIM905


def main() -> int:
    """Run the verb named on the command line and return its exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("verb", choices=["demo", "test", "lint", "docs", "bench", "shots"])
    parser.add_argument("rest", nargs=argparse.REMAINDER, help="passed on to the verb")
    given = parser.parse_args()
    if sys.version_info < (3, 11):
        print(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.")
        return 2
    verbs = {"demo": demo, "test": test, "lint": lint, "docs": docs, "bench": bench, "shots": shots}
    return verbs[given.verb](given.rest)


def demo(rest: list[str]) -> int:
    """Show the main job; without a display, under Xvfb, leaving pictures in demo-output/."""
    install("test")
    close = [] if has_display() else ["--close"]
    return in_window(
        [PYTHON, "-m", "napari_defectseg.cli.main", "demo", "--overwrite", *close, *rest]
    )


def test(rest: list[str]) -> int:
    """Run the test suite; `--all` includes the long tests."""
    install("test")
    # Idle threads sleep instead of spinning: on a busy machine that is many times faster.
    calm = {"OMP_WAIT_POLICY": "PASSIVE", "OMP_NUM_THREADS": "1"}
    count = min(MOST_PROCESSES, os.cpu_count() or 1)
    beside = ["--numprocesses", str(count), "--dist", "loadgroup"] if count > 1 else []
    return in_window([PYTHON, "-m", "pytest", *beside, *rest], calm)


def lint(rest: list[str]) -> int:
    """Check style, types and the direction of imports; the first that fails is reported."""
    install("dev")
    for command in (
        ["ruff", "format", "--check", "src", "tests", "benchmarks", "docs", "dev.py"],
        ["ruff", "check", "src", "tests", "benchmarks", "docs", "dev.py"],
        ["mypy"],
        ["lint-imports"],
    ):
        status = run([BIN / command[0], *command[1:], *rest])
        if status:
            return status
    return 0


def docs(rest: list[str]) -> int:
    """Build the documentation into site/, treating warnings as errors."""
    install("docs")
    return run([PYTHON, "-m", "mkdocs", "build", "--strict", *rest])


def bench(rest: list[str]) -> int:
    """Run the named benchmarks, or all of them."""
    install("test")
    names = rest or sorted(path.stem for path in (ROOT / "benchmarks").glob("[a-z]*.py"))
    for name in names:
        print(f"== {name}", flush=True)
        status = in_window([PYTHON, ROOT / "benchmarks" / f"{name}.py"])
        if status:
            return status
    return 0


def shots(rest: list[str]) -> int:
    """Take pictures of every dock for the documentation, and for looking."""
    install("test")
    return in_window([PYTHON, ROOT / "docs" / "shots.py", *rest])


def install(extra: str) -> None:
    """Make `.venv` and install this project with `extra`, unless that was done already."""
    files = [ROOT / "pyproject.toml", ROOT / "constraints.txt"]
    state = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
    done = VENV / f".installed-{extra}-{state}"
    if done.exists():
        return
    if not PYTHON.exists():
        print(f"Making {VENV.name} with Python {sys.version.split()[0]} ...", flush=True)
        venv.create(VENV, with_pip=True)
    pip = [PYTHON, "-m", "pip", "install", "--disable-pip-version-check", "--quiet"]
    pinned = ["--constraint", ROOT / "constraints.txt"]
    print("Installing (a few minutes the first time) ...", flush=True)
    # torch first and alone: together with the others an unpinned build for CUDA might be chosen.
    must([*pip, *pinned, "torch"])
    must([*pip, *pinned, "--editable", f"{ROOT}[{extra}]"])
    done.touch()


def in_window(command: list[str | Path], more: dict[str, str] | None = None) -> int:
    """Run a command that opens windows: on the display, or under Xvfb where there is none."""
    env = {**os.environ, **(more or {})}
    if not sys.platform.startswith("linux"):
        return run(command, env)
    missing = missing_display_libraries()
    if missing and not install_display_libraries():
        print(f"Missing for a window: {', '.join(missing)}. Please run:")
        print(f"    sudo apt-get install -y {' '.join(DISPLAY_PACKAGES)}")
        return 2
    if has_display():
        return run(command, env)
    return run(["xvfb-run", "-a", "-s", "-screen 0 1600x1000x24", *command], env)


def has_display() -> bool:
    """Tell whether windows can be shown to a person."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def missing_display_libraries() -> list[str]:
    """Return what Qt and the virtual display lack."""
    missing = []
    if not has_display():
        missing += [name for name in ("xvfb-run", "xauth") if not shutil.which(name)]
    for plugin in VENV.glob("lib/python*/site-packages/PyQt6/Qt6/plugins/platforms/libqxcb.so"):
        listed = subprocess.run(["ldd", plugin], capture_output=True, text=True, check=False)
        missing += [row.split()[0] for row in listed.stdout.splitlines() if "not found" in row]
    import ctypes.util

    missing += [name for name in ("GL", "EGL", "OpenGL") if not ctypes.util.find_library(name)]
    return missing


def install_display_libraries() -> bool:
    """Install the display libraries where this user may; tell whether it worked."""
    if not shutil.which("apt-get"):
        return False
    prefix: list[str | Path] = []
    if hasattr(os, "geteuid") and os.geteuid() != 0:
        if not shutil.which("sudo") or run(["sudo", "-n", "true"]):
            return False
        prefix = ["sudo", "-n", "env", "DEBIAN_FRONTEND=noninteractive"]
    print("Installing display libraries with apt-get ...", flush=True)
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    run([*prefix, "apt-get", "update", "-qq"], env=environment)
    return not run([*prefix, "apt-get", "install", "-y", "-qq", *DISPLAY_PACKAGES], env=environment)


def run(command: list[str | Path], env: dict[str, str] | None = None) -> int:
    """Run a command in the project's root and return its exit status."""
    try:
        return subprocess.run(
            list(map(str, command)), cwd=ROOT, env=env, stdin=subprocess.DEVNULL, check=False
        ).returncode
    except KeyboardInterrupt:
        return 130


def must(command: list[str | Path]) -> None:
    """Run a command and stop with its exit status if it fails."""
    status = run(command)
    if status:
        print(f"This failed: {' '.join(map(str, command))}")
        sys.exit(status)


if __name__ == "__main__":
    sys.exit(main())
