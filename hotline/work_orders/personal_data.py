"""What must not stand in words anybody may read: numbers that lead to a person."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Final

import phonenumbers

# six digits of a place, a birth date, three digits and a check character
_ID_CARD: Final = re.compile(
    r"(?<!\d)\d{6}(?:18|19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![\dXx])"
)


def found_in(text: str) -> list[str]:
    """Return what looks like an ID-card or telephone number in ``text``, each as ``手机号码 138****1234``.

    Masked, because the finding itself is shown and may be logged. Short public numbers (12345, 110) are no fault.
    """
    plain = unicodedata.normalize("NFKC", text)
    cards = [match.group() for match in _ID_CARD.finditer(plain)]
    for card in cards:
        plain = plain.replace(card, " ")
    numbers = [match.raw_string for match in phonenumbers.PhoneNumberMatcher(plain, "CN")]
    return [f"身份证号码 {_masked(card)}" for card in cards] + [f"电话号码 {_masked(number)}" for number in numbers]


def masked(text: str, *, names: Iterable[str] = ()) -> str:
    """Return ``text`` with ID-card and telephone numbers and these ``names`` made unreadable.

    ``138****1234``, ``王**``. A name of one character is left alone: it stands in too many words.
    """
    for name in sorted({name for name in names if len(name) > 1}, key=len, reverse=True):
        text = text.replace(name, f"{name[0]}{'*' * (len(name) - 1)}")
    return _rewritten(text, _masked)


def without_numbers(text: str, instead: str) -> str:
    """Return ``text`` with ``instead`` where an ID-card or telephone number stood."""
    return _rewritten(text, lambda _: instead)


def _rewritten(text: str, write: Callable[[str], str]) -> str:
    text = _ID_CARD.sub(lambda match: write(match.group()), text)
    for match in reversed(list(phonenumbers.PhoneNumberMatcher(text, "CN"))):
        text = f"{text[: match.start]}{write(match.raw_string)}{text[match.end :]}"
    return text


def _masked(number: str) -> str:
    digits = re.sub(r"[^\dXx]", "", number)
    return f"{digits[:3]}****{digits[-4:]}"
