"""An answer's Markdown as safe HTML and as plain words. The only file that knows the Markdown library.

Editors write emphasis, lists, headings, tables and links. Anything that looks like HTML stays the text it is.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

BLOCKS: Final = frozenset(
    {"paragraph_close", "heading_close", "list_item_close", "tr_close", "fence", "code_block", "hr"}
)


@cache
def _reader() -> MarkdownIt:
    """CommonMark without raw HTML and images, with tables; a line ends where the editor ended it."""
    reader = MarkdownIt("commonmark", {"html": False, "breaks": True, "linkify": False})
    reader.enable("table").disable(["image", "html_block", "html_inline"])
    reader.validateLink = _is_safe  # type: ignore[method-assign,assignment]  # how the library is told
    return reader


def _is_safe(link: str) -> bool:
    return link.lower().startswith(("https://", "http://", "tel:", "mailto:"))


def html(answer: str) -> str:
    """Return an answer as HTML that is safe to show: no script, no style, no image; links leave nothing behind."""
    tokens = _reader().parse(answer)
    for token in tokens:
        for inner in token.children or ():
            if inner.type == "link_open":
                inner.attrSet("rel", "noopener noreferrer nofollow")
                inner.attrSet("target", "_blank")
    return str(_reader().renderer.render(tokens, _reader().options, {}))


def plain(answer: str) -> str:
    """Return an answer as words, a line for each paragraph, item and row: for a text message, a cell, a comparison."""
    lines: list[str] = [""]
    for token in _reader().parse(answer):
        lines[-1] += _words(token)
        if token.type in ("td_close", "th_close"):
            lines[-1] += " "
        elif token.type in BLOCKS:
            lines.append("")
    return "\n".join(filter(None, (line.strip() for line in lines)))


def _words(token: Token) -> str:
    if token.type in ("fence", "code_block"):
        return token.content
    return "".join("\n" if one.type in ("softbreak", "hardbreak") else one.content for one in token.children or ())
