"""How a character sounds, coarsely: syllables that recognisers and speakers mix up share one name."""

from __future__ import annotations

import unicodedata
from functools import cache
from types import MappingProxyType
from typing import Final

from pypinyin.pinyin_dict import pinyin_dict

_TONES: Final = {"\u0300", "\u0301", "\u0304", "\u030c"}
_INITIALS: Final = (("zh", "z"), ("ch", "c"), ("sh", "s"))


def merge(syllable: str) -> str:
    """Return the common name of a toneless syllable: zh/z ch/c sh/s, n/l/r, an/ang en/eng in/ing, hu/f made equal."""
    for retroflex, flat in _INITIALS:
        if syllable.startswith(retroflex):
            syllable = flat + syllable[2:]
    if syllable[0] in "nr":
        syllable = "l" + syllable[1:]
    if syllable == "hu":
        syllable = "fu"
    elif syllable.startswith("hu"):
        syllable = "f" + syllable[2:]
    return syllable[:-1] if syllable.endswith(("ang", "eng", "ing")) else syllable


@cache
def table() -> MappingProxyType[str, str]:
    """Return merged syllables by character: the commonest reading of each. Built once, in about 0.2 s."""
    return MappingProxyType({chr(point): merge(_toneless(readings)) for point, readings in pinyin_dict.items()})


def _toneless(readings: str) -> str:
    """Return the first of comma-separated ``readings`` without its tone, ü written v."""
    first = unicodedata.normalize("NFD", readings.split(",", 1)[0])
    kept = "".join(char for char in first if char not in _TONES)
    return unicodedata.normalize("NFC", kept).replace("ü", "v").replace("ê", "e")


@cache
def readings() -> MappingProxyType[str, tuple[str, ...]]:
    """Return every way to read each character, toneless, the commonest first. Built once, in about 0.3 s."""
    return MappingProxyType(
        {
            chr(point): tuple(dict.fromkeys(_toneless(reading) for reading in told.split(",")))
            for point, told in pinyin_dict.items()
        }
    )
