"""The list of contents of a document, which says nothing that does not stand behind it again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from hotline.knowledge_base.documents.blocks import Block
from hotline.knowledge_base.documents.marks import mark_of

HEAD: Final = re.compile(r"目\s*[录次]")
DOTS: Final = re.compile(r".{2,80}?\s?(?:[.．…·‥⋯]\s?){3,}\s?[0-9０-９]{1,4}")
PAGED: Final = re.compile(r"(?P<words>.{2,80}?)\s[0-9]{1,4}")
MOST_CHARS: Final = 80


def without_contents(blocks: Sequence[Block]) -> list[Block]:
    """Leave out the list of contents: what follows 目录 and stands again later, and lines that dots lead to a page."""
    kept: list[Block] = []
    listing = False
    later: dict[str, int] = {}
    for block in blocks:
        later[_bare(block.text)] = later.get(_bare(block.text), 0) + 1
    for block in blocks:
        words = _bare(block.text)
        later[words] -= 1
        if HEAD.fullmatch(block.text) and not block.rows:
            listing = True
        elif (DOTS.fullmatch(block.text) and not block.rows) or (
            listing and not block.rows and len(block.text) <= MOST_CHARS and _is_listed(block.text, words, later)
        ):
            continue
        else:
            listing = False
            kept.append(block)
    return kept


def _is_listed(text: str, words: str, later: dict[str, int]) -> bool:
    if later.get(words):
        return True
    paged = PAGED.fullmatch(text)
    return paged is not None and (mark_of(text) is not None or bool(later.get(_bare(paged["words"]))))


def _bare(text: str) -> str:
    return "".join(text.split())
