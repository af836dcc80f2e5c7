"""Words and tables of a document as the Markdown of an answer: nothing in them is taken for a sign.

Editors read and change what comes of it, so that only what would be taken for one gets a backslash.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

SIGNS: Final = re.compile(r"[\\`*_]|<(?=[A-Za-z/!?])|&(?=#?\w+;)|\|")
LINKS: Final = re.compile(r"[\[\]]")
LINK: Final = re.compile(r"\][(:\[]")
ITEM: Final = re.compile(r"^(\d{1,9}[.)])[ \t]+(?=\S)", re.MULTILINE)  # without the blank it is no list
AT_START: Final = re.compile(r"^(?=[+\-](?:\s|$)|[\-=]+\s*$|>|#)", re.MULTILINE)
BARE_NUMBER: Final = re.compile(r"^(\d{1,9})([.)])$", re.MULTILINE)


def paragraph(text: str) -> str:
    """Return words that read as they stand, a line for each line."""
    told = _escaped("\n".join(filter(None, map(str.strip, text.splitlines()))))
    told = BARE_NUMBER.sub(r"\1\\\2", ITEM.sub(r"\1", told))
    return AT_START.sub(r"\\", told)


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose first row is its head."""
    told = ["| " + " | ".join(map(_escaped, row)) + " |" for row in rows]
    return "\n".join([told[0], "|" + " --- |" * len(rows[0]), *told[1:]])


def _escaped(text: str) -> str:
    told = SIGNS.sub(lambda sign: f"\\{sign[0]}", text)
    return LINKS.sub(lambda sign: f"\\{sign[0]}", told) if LINK.search(told) else told
