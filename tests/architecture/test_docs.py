"""The house as drawn is the house as built."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def tracked(pattern: str) -> list[Path]:
    listing = subprocess.run(["git", "ls-files", pattern], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / line for line in listing.stdout.splitlines()]


def test_the_drawing_names_every_module_of_the_hotline() -> None:
    drawing = (ROOT / "docs/architecture.md").read_text()
    top = {path.relative_to(ROOT / "hotline").parts[0] for path in tracked("hotline/**.py")}
    missing = [name for name in sorted(top - {"__init__.py", "__main__.py"}) if name.removesuffix(".py") not in drawing]
    assert missing == []


def test_links_between_documents_lead_somewhere() -> None:
    broken = []
    for page in tracked("*.md"):
        if "vendor" in page.parts or "vosk-model-demo-zh-8k" in page.parts:
            continue
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
            if not (page.parent / target).exists():
                broken.append(f"{page.relative_to(ROOT)} -> {target}")
    assert broken == []


def test_lock_files_name_no_package_host() -> None:
    for path in (*tracked("*lock*"), *tracked("requirements*")):
        text = path.read_text()
        assert '"resolved": "http' not in text and "index-url" not in text and "find-links" not in text, path


def test_fixtures_hold_no_number_that_could_be_dialled() -> None:
    # mobile numbers of the mainland are 1[3-9] and nine digits; ours are all of the unassigned 1990000 block
    mobile = re.compile(r"(?<![\dA-Fa-f.:-])(?:\+?86)?(1[3-9]\d{9})(?![\d])")
    found = []
    for pattern in ("*.py", "*.json", "*.jsonl", "*.html", "*.md", "*.txt"):
        for path in tracked(pattern):
            if "vendor" in path.parts or path.name.endswith("-lock.json"):
                continue
            for number in mobile.findall(path.read_text(errors="ignore")):
                if not number.startswith("1990000"):
                    found.append(f"{path.relative_to(ROOT)}: {number}")
    assert found == []
