"""Lets the tests of docks share their scene."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
