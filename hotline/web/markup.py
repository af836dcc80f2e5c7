"""Words marked where they stand, and answers as editors formatted them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import unescape
from itertools import groupby
from typing import Final

from markupsafe import Markup, escape

from hotline.knowledge_base import answers

TAG: Final = re.compile(r"(<[^>]*>)")


def highlight(text: str, words: Iterable[str]) -> Markup:
    """Return ``text``, escaped, with every one of ``words`` marked where it stands; marks that touch are one."""
    marked = [False] * len(text)
    for word in filter(None, words):
        at = text.find(word)
        while at >= 0:
            marked[at : at + len(word)] = [True] * len(word)
            at = text.find(word, at + 1)
    out = Markup("")
    for on, run in groupby(range(len(text)), key=marked.__getitem__):
        part = "".join(text[at] for at in run)
        out += Markup("<mark>%s</mark>") % part if on else escape(part)
    return out


def answer(text: str, words: Iterable[str] = ()) -> Markup:
    """Return an answer's Markdown as safe HTML, with ``words`` marked in it."""
    wanted = list(words)
    shown = answers.html(text)
    if not wanted:
        return Markup(shown)  # noqa: S704 - made safe by ``answers``
    # every other part is a tag
    parts = TAG.split(shown)
    return Markup("").join(
        Markup(part) if place % 2 else highlight(unescape(part), wanted)  # noqa: S704 - a tag of ``answers``
        for place, part in enumerate(parts)
    )
