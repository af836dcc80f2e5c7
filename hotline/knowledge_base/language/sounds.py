"""How a character sounds: syllables that recognisers and speakers mix up share one name."""

from __future__ import annotations

import json
import unicodedata
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import MappingProxyType
from typing import Final

_TONES: Final = {"\u0300", "\u0301", "\u0304", "\u030c"}
_INITIALS: Final = (("zh", "z"), ("ch", "c"), ("sh", "s"))
# syllables are written as one sign each from here on, where Unicode promises never to put a character
_PRIVATE: Final = 0xE000


def _pinyin() -> dict[int, str]:
    """Return the readings of each character with their tones, parted by commas, the commonest first.

    Out of pypinyin's file: the package itself would keep 50 MB of phrases.
    """
    found = find_spec("pypinyin")
    if found is None or found.origin is None:
        raise ModuleNotFoundError("pypinyin is not installed")
    read = json.loads(Path(found.origin).with_name("pinyin_dict.json").read_text(encoding="utf-8"))
    return {int(point): readings for point, readings in read.items()}


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
    shared: dict[str, str] = {}  # equal syllables are one string
    named = ((chr(point), merge(_toneless(readings))) for point, readings in _pinyin().items())
    return MappingProxyType({char: shared.setdefault(said, said) for char, said in named})


@cache
def merged_signs() -> dict[int, str]:
    """Return what ``str.translate`` needs to write each character's merged syllable as one sign."""
    signs: dict[str, str] = {}
    return {ord(char): signs.setdefault(said, chr(_PRIVATE + len(signs))) for char, said in table().items()}


def _toneless(readings: str) -> str:
    """Return the first of comma-separated ``readings`` without its tone, ü written v."""
    first = unicodedata.normalize("NFD", readings.split(",", 1)[0])
    kept = "".join(char for char in first if char not in _TONES)
    return unicodedata.normalize("NFC", kept).replace("ü", "v").replace("ê", "e")


@cache
def readings() -> MappingProxyType[str, tuple[str, ...]]:
    """Return every way to read each character, toneless, the commonest first; equal ones are one object. Built once,
    in about 0.3 s."""
    shared: dict[str, tuple[str, ...]] = {}
    found: dict[str, tuple[str, ...]] = {}
    for point, told in _pinyin().items():
        named = tuple(dict.fromkeys(_toneless(reading) for reading in told.split(",")))
        found[chr(point)] = shared.setdefault(" ".join(named), named)
    return MappingProxyType(found)
