"""Text to tokens: the one function behind both entries and queries, so that the two can never drift apart."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import rjieba

from hotline.knowledge_base import sounds

LONGEST: Final = 200  # characters looked at; the newest of a longer text

# what people say around their question, on any line and about anything
_FILLERS: Final = re.compile(
    "我?[要想]?(?:咨询|反映|投诉|了解|请问|问)一下|我?[要想](?:咨询|反映|投诉|了解|问)|请问|麻烦|"
    "你好|您好|谢谢你们|谢谢|我们|你们|是怎么回事|怎么回事|就是说|就是|那个|这个|喂|嗯"
)
_SPOKEN_DIGITS: Final = str.maketrans("零〇一幺二三四五六七八九", "001123456789")
# three in a row are a number read out (一二三四五, 幺二〇); one or two are words (一直, 三四天)
_DIGIT_RUN: Final = re.compile("[零〇一幺二三四五六七八九]{3,}")
# when and for how long, and words of any talk: they say nothing about the matter
_ASIDES: Final = re.compile(
    "[昨今前]天|[昨今]晚|[这前][几两]天|上个?(?:星期|礼拜|月)|[早晚]上|[上中下]午|(?<!什么)时候|"
    "(?:好|这)?[一两二三四五六七八九十几半]+(?:个多?(?:月|星期|礼拜|小时)|多?[天年](?![级龄]))了?|"
    "一个|一直|一下|已经|还有|现在"
)
_LATIN_GAP: Final = re.compile(r"(?<=[a-z0-9]) (?=[a-z0-9])")


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a text is compared by. Each family is free of repeats and in the order of the text.

    ``text`` is the normalised text, ``sound`` its merged syllables, each followed by a blank. A token carries the
    letter of its family, so that all families share one index.
    """

    text: str
    sound: str
    characters: tuple[str, ...]
    syllables: tuple[str, ...]
    words: tuple[str, ...]
    pairs: tuple[str, ...]  # neighbouring syllables

    @property
    def families(self) -> tuple[tuple[str, ...], ...]:
        """The four families, in the order of ``search.WEIGHTS``."""
        return self.characters, self.syllables, self.words, self.pairs


def normalise(text: str) -> str:
    """Return letters and digits of the newest ``LONGEST`` characters: one width, lower case, spoken numbers as digits,
    without the formulas of courtesy (unless nothing else is there)."""
    plain = unicodedata.normalize("NFKC", text[-LONGEST:]).lower()
    plain = "".join(char if char.isalnum() else " " for char in plain if unicodedata.category(char)[0] != "C")
    # recognised speech parts words by blanks; they mean something only between Latin words
    plain = _LATIN_GAP.sub("\n", " ".join(plain.split())).replace(" ", "").replace("\n", " ")
    plain = _DIGIT_RUN.sub(lambda run: run.group().translate(_SPOKEN_DIGITS), plain)
    return _FILLERS.sub("", plain).strip() or plain


def matter_of(text: str) -> str:
    """Return the normalised text without times, lengths of time and words of any talk; empty when it has no others."""
    return _ASIDES.sub("", normalise(text))


def sound_of(text: str) -> str:
    """Return the merged syllables of a normalised text, each followed by a blank; what has none stands for itself."""
    table = sounds.table()
    return "".join(f"{table.get(char, char)} " for char in text if char != " ")


def words_of(text: str) -> list[str]:
    """Return the words of two or more characters in a normalised text, overlapping ones included, without repeats."""
    return [word for word in dict.fromkeys(rjieba.cut_for_search(text)) if len(word) > 1]


def tokens_of(text: str) -> Tokens:
    """Return the tokens of any text whatever; at most ``LONGEST`` characters of it count."""
    plain = normalise(text)
    sound = sound_of(plain)
    syllables = sound.split()
    return Tokens(
        text=plain,
        sound=sound,
        characters=tuple(dict.fromkeys(f"c{char}" for char in plain if char != " ")),
        syllables=tuple(dict.fromkeys(f"s{syllable}" for syllable in syllables)),
        words=tuple(f"w{word}" for word in words_of(plain)),
        pairs=tuple(dict.fromkeys(f"p{one} {two}" for one, two in pairwise(syllables))),
    )
