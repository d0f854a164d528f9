"""The documentation says what is there."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


def test_every_promise_names_a_test_that_is_there() -> None:
    page = (DOCS / "explanation" / "promises.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page)
    assert len(named) > 15
    for path, test in named:
        assert f"def {test}(" in (ROOT / path).read_text(encoding="utf-8"), f"{path}::{test}"


@pytest.mark.parametrize("name", ["command-line", "keys", "measurements"])
def test_pages_made_from_the_program_are_up_to_date(name: str) -> None:
    made = runpy.run_path(str(DOCS / "generate.py"))[name.replace("-", "_")]()
    written = (DOCS / "reference" / f"{name}.md").read_text(encoding="utf-8")
    assert written == made, "run: python docs/generate.py"


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_links_and_pictures_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", page.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target


def test_the_readme_names_exactly_two_set_up_commands() -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    section = page.split("## Two commands")[1].split("\n## ")[0]
    blocks = re.findall(r"```bash\n(.*?)```", section, re.DOTALL)
    assert [block.strip() for block in blocks] == ["python3 dev.py demo", "python3 dev.py test"]
