"""What must not stand in words anybody may read: numbers that lead to a person."""

from __future__ import annotations

import re
import unicodedata
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


def _masked(number: str) -> str:
    digits = re.sub(r"[^\dXx]", "", number)
    return f"{digits[:3]}****{digits[-4:]}"
