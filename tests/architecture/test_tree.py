"""The project speaks of itself alone."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]

# folders and package hosts of whatever machine something was made on; written so that this file holds none itself
ELSEWHERE = re.compile(
    "|".join(
        (
            r"(?<![\w.*-])/(?:work|home|Users|root)/\w",
            r"(?<![\w.*-])/sha" + "red/",
            r"/opt/py" + "pi",
            r"https?://[\w.-]*(?:pypi|npm|mirror|artifactory|nexus|registry)[\w.-]*[:/]",
        )
    )
)
# a text may tell where the project's own data come from
NOT_OURS = ("hotline/static/vendor/", "hotline/demo/vosk-model-demo-zh-8k/")


def test_no_file_names_the_machine_it_was_made_on() -> None:
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    found = []
    for name in filter(None, listing.stdout.split("\0")):
        path = ROOT / name
        if name.startswith(NOT_OURS) or not path.is_file():
            continue
        text = path.read_bytes()
        if b"\0" in text[:4096]:
            continue  # sound, pictures, models
        for number, line in enumerate(text.decode(errors="replace").splitlines(), 1):
            if match := ELSEWHERE.search(line):
                found.append(f"{name}:{number}: {match[0]}")
    assert found == []
