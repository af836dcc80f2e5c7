"""How Chinese documents number what they say, from the part down to ①, and what counts as a heading."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

ANNEX, PART, CHAPTER, SECTION, ARTICLE, FIRST, SECOND, THIRD, FOURTH, FIFTH = range(10)
ANNEX_TITLE: Final = 0.5  # of what a notice issues, or what stands in an annex
HAN: Final = "[一二三四五六七八九十百千零〇○两]"
ANY: Final = "[一二三四五六七八九十百千零〇○两0-9０-９]"
FOLLOWED: Final = (
    r"(?![规的、，。；至和及与或款项例件所中第之])"  # a line that goes on about a clause does not begin one
)

MARKS: Final[tuple[tuple[float, re.Pattern[str]], ...]] = tuple(
    (rank, re.compile(pattern))
    for rank, pattern in (
        (ANNEX, rf"附\s?[件录]\s?{ANY}{{0,3}}\s?[：:]?(?=$|\s|[^\s：:。，；0-9])"),
        (PART, rf"第\s?{ANY}{{1,5}}\s?编{FOLLOWED}"),
        (CHAPTER, rf"第\s?{ANY}{{1,5}}\s?章{FOLLOWED}"),
        (SECTION, rf"第\s?{ANY}{{1,5}}\s?节{FOLLOWED}"),
        (ARTICLE, rf"第\s?{ANY}{{1,6}}\s?条(?:之{HAN}{{1,3}})?{FOLLOWED}"),
        (FIRST, rf"{HAN}{{1,4}}\s?[、．.](?!\d)"),
        (SECOND, rf"[（(]\s?{HAN}{{1,4}}\s?[)）]\s?、?"),
        (THIRD + 0.2, r"\d{1,2}(?:[.．]\d{1,2}){2,3}(?![\d.%％])\s"),
        (THIRD + 0.1, r"\d{1,2}[.．]\d{1,2}(?![\d.%％])\s"),
        (THIRD, r"\d{1,3}\s?[.．、](?!\d)"),
        (FOURTH, r"[（(]\s?\d{1,3}\s?[)）]\s?、?"),
        (FOURTH, r"\d{1,3}[)）]"),
        (FIFTH, r"[①-⑳]、?"),
    )
)

NUMBERED: Final = rf"(?:(?:{ANY}{{1,4}}\s?[、．.]|[（(]{ANY}{{1,4}}[)）])\s?)?"
ASKS: Final = re.compile(rf"{NUMBERED}(?:问题?|Q)\s?{ANY}{{0,4}}\s?[:：.、．]\s?")
ANSWERS: Final = re.compile(rf"(?:答复?|回答|A)\s?{ANY}{{0,4}}\s?[:：.、．]\s?")
ANSWER_INSIDE: Final = re.compile(r"\s?(?:答复?|回答|A)\s?[:：]\s?")
STOPS: Final = "。；;，,、"
KINDS: Final = (
    "办法|通知|条例|规定|细则|方案|意见|指南|公告|通告|手册|问答|解答|解读|须知|流程|标准|制度|规则|规程|章程|决定|规范"
    "|清单|措施"
)
CALLED: Final = re.compile(rf"(?:{KINDS})(?:[（(](?:试行|暂行|草案|修订|[0-9]{{4}}年.{{0,6}})[)）])?$")
FILE_NUMBER: Final = re.compile(r"^.{0,16}[〔\[(（【]\s?\d{4}\s?[〕\])）】]\s?\d+\s?号$")
DATE_ONLY: Final = re.compile(rf"^[（(]?\s?(?:{ANY}{{4}}\s?年\s?{ANY}{{1,3}}\s?月\s?{ANY}{{1,3}}\s?日).{{0,30}}[)）]?$")
ENCLOSED: Final = re.compile(r"附\s?[件录]\s?[：:]")
HEADING_CHARS: Final = 40
SHORT_CHARS: Final = 16
RUN_IN_CHARS: Final = 24
TITLE_CHARS: Final = 60

NAMED_ARTICLE: Final = re.compile(r"^\s?[【\[（(〔]([^】\]）)〕]{2,24})[】\]）)〕]\s?")
RUN_IN: Final = re.compile(rf"^([^。：:；;，,？?]{{2,{RUN_IN_CHARS}}})[。：:]\s?(?=\S)")


@dataclass(frozen=True, slots=True)
class Mark:
    """How a paragraph begins: how high it stands (``rank``, small is high), its number, and what follows it."""

    rank: float
    number: str
    rest: str


def mark_of(text: str) -> Mark | None:
    """Return the mark a paragraph begins with; None when it has none."""
    for rank, pattern in MARKS:
        if found := pattern.match(text):
            number, rest = found[0].strip(), text[found.end() :].strip()
            if rank in (PART, CHAPTER, SECTION) and (len(rest) > HEADING_CHARS or rest.endswith(tuple(STOPS))):
                return None  # a sentence about a chapter
            if rank == ANNEX and (len(rest) > TITLE_CHARS or rest.endswith(tuple(STOPS)) or mark_of(rest)):
                return None  # the list of what is enclosed
            return Mark(rank, number, rest)
    return None


def is_heading(mark: Mark) -> bool:
    """Whether a paragraph with a mark is a heading on a line of its own."""
    if mark.rank < ARTICLE:
        return True
    if mark.rest.endswith(("：", ":")):
        return (
            mark.rank != ARTICLE
            and len(mark.rest) <= SHORT_CHARS
            and may_head(mark.rest[:-1])
            and "，" not in mark.rest
        )
    return may_head(mark.rest) and (mark.rank != ARTICLE or len(mark.rest) <= SHORT_CHARS)


def may_head(text: str) -> bool:
    """Whether a text looks like a heading: short, on one line, no sentence."""
    return 0 < len(text) <= HEADING_CHARS and "\n" not in text and "。" not in text and not text.endswith(tuple(STOPS))
