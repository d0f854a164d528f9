"""The official library's own test on exported packages, in an environment of its own.

``python official_check.py PACKAGE...`` where bioimageio.core 0.11, onnxruntime and pydantic 2.12
are installed; without them it says so and does nothing.
"""

from __future__ import annotations

import sys


def main(packages: list[str]) -> int:
    """Print the status of each package; 0 where all passed, or the library is not here."""
    try:
        from bioimageio.core import test_model
    except ImportError:
        sys.stdout.write("Skipped: bioimageio.core is not installed in this environment.\n")
        return 0
    failed = 0
    for package in packages:
        summary = test_model(package)
        sys.stdout.write(f"{package}: {summary.status}\n")
        for detail in summary.details:
            for error in detail.errors:
                sys.stdout.write(f"  {detail.name}: {error.msg}\n")
        failed += summary.status != "passed"
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
