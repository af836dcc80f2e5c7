"""Text to what it is compared by: the one place for both entries and queries, so that the two never drift apart."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from operator import add
from typing import Final

import rjieba

from hotline.knowledge_base.language import sounds

LONGEST: Final = 200  # characters looked at; the newest of a longer text

# what people say around their question, on any line and about anything
_FILLERS: Final = re.compile(
    "我?[要想]?(?:咨询|反映|投诉|了解|请问|问)一下|我?[要想](?:咨询|反映|投诉|了解|问)|请问|麻烦|"
    "你好|您好|谢谢你们|谢谢|我们|你们|是怎么回事|怎么回事|就是说|就是|那个|这个|喂|嗯"
)
_DIGITS: Final = "零〇一幺二三四五六七八九"
_SPOKEN_DIGITS: Final = str.maketrans(_DIGITS, "001123456789")
# three in a row are a number read out (一二三四五, 幺二〇); one or two are words (一直, 三四天), but for per cents
_DIGIT_RUN: Final = re.compile(f"[{_DIGITS}]{{3,}}|百分之[{_DIGITS}]{{1,3}}")
# when and for how long, and words of any talk: they say nothing about the matter
_ASIDES: Final = re.compile(
    "[昨今前]天|[昨今]晚|[这前][几两]天|上个?(?:星期|礼拜|月)|[早晚]上|[上中下]午|(?<!什么)时候|"
    "(?:好|这)?[一两二三四五六七八九十几半]+(?:个多?(?:月|星期|礼拜|小时)|多?[天年](?![级龄]))了?|"
    "一个|一直|一下|已经|还有|现在"
)
# characters that any question is full of tell little of what is asked: 什么牌子好 is asked of everything
IDLE: Final = frozenset(
    "什么怎样如何哪里儿些多少几吗呢吧啊呀嘛的地得了是有在我你他们要想能可以会请问大家个这那谁为把给跟和还好啥咋办"
)
_NOTHING: Final = dict.fromkeys(map(ord, IDLE))
_NO_LETTERS: Final = re.compile(r"(?:[^\w\n]|_)+")
# recognised speech parts words by blanks; they mean something only between Latin words
_IDLE_BLANK: Final = re.compile(r"(?<![a-z0-9]) | (?![a-z0-9])")
# one sign stands for all beyond the basic plane: a text with one of them would take twice the memory
_RARE: Final = re.compile("[\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Said:
    """One text in two writings of the same length: its characters and its merged syllables."""

    text: str
    merged: str

    @classmethod
    def of(cls, signs: str) -> Said:
        """Return both writings of the ``signs_of`` a normalised text, or of several end to end."""
        return cls(signs, signs.translate(sounds.merged_signs()))


def normalise(text: str) -> str:
    """Return letters and digits of the newest ``LONGEST`` characters: one width, lower case, spoken numbers as digits,
    without the formulas of courtesy (unless nothing else is there)."""
    return normalised([text])[0]


def normalised(texts: Sequence[str]) -> list[str]:
    """Return what ``normalise`` makes of each text; of many at once for a fraction of the time."""
    plain = "\n".join(" ".join(text[-LONGEST:].splitlines()) for text in texts)
    plain = _NO_LETTERS.sub(" ", unicodedata.normalize("NFKC", plain).lower())
    plain = _DIGIT_RUN.sub(_as_digits, _IDLE_BLANK.sub("", plain))
    bare = _FILLERS.sub("", plain)
    return [less.strip() or line for less, line in zip(bare.split("\n"), plain.split("\n"), strict=True)]


def _as_digits(run: re.Match[str]) -> str:
    return run.group().removeprefix("百分之").translate(_SPOKEN_DIGITS)


def has_matter(plain: str) -> bool:
    """Return whether a normalised text says anything but times, lengths of time and words of any talk.

    A single sign between those is none.
    """
    matter = _ASIDES.sub("", plain)
    return len(matter.strip()) > (0 if matter == plain else 1)


def matters_of(texts: Sequence[str]) -> list[str]:
    """Return what is left of texts without the characters that any question is full of; all of one made of those."""
    left = "\n".join(texts).translate(_NOTHING).split("\n")
    return [less or text for less, text in zip(left, texts, strict=True)]


def signs_of(plain: str) -> str:
    """Return a normalised text as it is compared: without blanks, every sign of the basic plane."""
    return _RARE.sub("〓", plain.replace(" ", ""))


def sound_of(text: str) -> str:
    """Return the merged syllables of a normalised text, each followed by a blank; what has none stands for itself."""
    table = sounds.table()
    return "".join(f"{table.get(char, char)} " for char in text if char != " ")


def words_of(text: str) -> list[str]:
    """Return the words of two or more characters in a normalised text, overlapping ones included, without repeats."""
    return [word for word in dict.fromkeys(rjieba.cut_for_search(text)) if len(word) > 1]


def terms_of(said: Said) -> list[str]:
    """Return what a text is looked up by: its characters, and its pairs of neighbouring merged syllables.

    A single Latin letter or digit tells nothing. Words find nothing that these do not, and cost more than both to cut.
    """
    return [*(sign for sign in said.text if not sign.isascii()), *map(add, said.merged, said.merged[1:])]
