"""What importing the package costs, beyond what the interpreter itself needs.

Processor time of the import statement alone, in fresh interpreters.
"""

from __future__ import annotations

import statistics
import subprocess
import sys

ROUNDS = 9
CODE = "import time; a = time.process_time(); import {}; print(time.process_time() - a)"


def cost(module: str) -> list[float]:
    """Milliseconds of processor time that importing a module takes, once a round."""
    command = [sys.executable, "-c", CODE.format(module)]
    return [1e3 * float(subprocess.check_output(command)) for _ in range(ROUNDS)]


if __name__ == "__main__":
    ours, numpy = cost("napari_defectseg"), cost("numpy")
    for name, values in (("napari_defectseg", ours), ("numpy", numpy)):
        print(f"{name}: median {statistics.median(values):.1f} ms, least {min(values):.1f} ms")
    print(f"ratio of medians {statistics.median(ours) / statistics.median(numpy):.2f}")
