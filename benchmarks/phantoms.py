"""How long does a phantom take, and how does it grow with its size? Prints seconds and ratios."""

from __future__ import annotations

import time

from napari_defectseg.phantoms.make import KINDS, SHAPES, phantom

ROUNDS = 3


def seconds(kind: str, shape: tuple[int, ...], **settings: object) -> float:
    """Best of a few rounds, CPU time; the first round warms caches and is dropped."""
    taken = []
    for seed in range(ROUNDS + 1):
        start = time.process_time()
        phantom(kind, seed=seed, shape=shape, **settings)
        taken.append(time.process_time() - start)
    return min(taken[1:])


def main() -> None:
    """Print a line a kind."""
    for kind in KINDS:
        usual = SHAPES[kind]
        half = (*usual[:-2], usual[-2] // 2, usual[-1] // 2)
        small, large = seconds(kind, half), seconds(kind, usual)
        print(f"{kind:12s} {large:6.2f} s at {usual}   {large / small:.1f} × that of {half}")
    slow, quick = (seconds("tomogram", (48, 64, 64), artefacts=a) for a in ("sinogram", "image"))
    print(
        f"tomogram     artefacts in the image are {slow / quick:.1f} times faster than in the scan"
    )


if __name__ == "__main__":
    main()
