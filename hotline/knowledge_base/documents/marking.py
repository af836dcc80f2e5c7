"""Words and tables of a document as the Markdown of an answer: nothing in them is taken for a sign."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

SIGNS: Final = re.compile(r"[\\`*_\[\]<>&|#~]")
AT_START: Final = re.compile(r"^(?:([+\-=])|([0-9]{1,9})([.)]))", re.MULTILINE)


def paragraph(text: str) -> str:
    """Return words that read as they stand, a line for each line."""
    lines = (line.strip() for line in text.splitlines())
    told = SIGNS.sub(lambda sign: f"\\{sign[0]}", "\n".join(filter(None, lines)))
    return AT_START.sub(lambda sign: f"\\{sign[1]}" if sign[1] else f"{sign[2]}\\{sign[3]}", told)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose first row is its head."""
    told = ["| " + " | ".join(SIGNS.sub(lambda sign: f"\\{sign[0]}", cell) for cell in row) + " |" for row in rows]
    return "\n".join([told[0], "|" + " --- |" * len(rows[0]), *told[1:]])
