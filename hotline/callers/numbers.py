"""Telephone numbers as carriers send them, made into the one form we keep."""

from __future__ import annotations

import re
from typing import Final

import phonenumbers

REGION: Final = "CN"
WITHHELD: Final = "号码保密"

_MOBILE = re.compile(r"\+861[3-9]\d{9}")
_SHOW_TEXTS = {phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE}
_SHORT_CODE = re.compile(r"\d{3,8}")
# what carriers put where a number was withheld: the words spelt on a keypad
_PLACEHOLDERS = frozenset({"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"})


def normalise(raw: str | None) -> str | None:
    """Return E.164, a bare short code (``10086``), or None for a withheld or absurd number.

    Takes what a carrier or a person writes: ``+8619900001234``, ``199 0000 1234``, ``0318-2024114``, ``anonymous``.
    """
    text = (raw or "").strip()
    if _MOBILE.fullmatch(text):  # nearly every call; spares the library's metadata
        return text
    if not text or text in _PLACEHOLDERS or len(text) > 32:
        return None
    if _SHORT_CODE.fullmatch(text):
        # seven or eight digits may be a local number without its area code: no way to call it back
        return text if _is_short_code(text) else None
    try:
        number = phonenumbers.parse(text, REGION)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def for_texts(*raws: str | None) -> str | None:
    """Return the first of a person's numbers that can show a text message; None where none can."""
    for raw in raws:
        number = normalise(raw)
        if number and number.startswith("+") and phonenumbers.number_type(phonenumbers.parse(number)) in _SHOW_TEXTS:
            return number
    return None


def _is_short_code(text: str) -> bool:
    number = phonenumbers.parse(text, REGION)
    return len(text) <= 6 or phonenumbers.is_possible_short_number_for_region(number, REGION)


def mask(number: str | None) -> str:
    """``199****1234`` of ``+8619900001234``: first three and last four; shorter numbers keep two. None: 号码保密."""
    plain = (number or "").removeprefix("+86").removeprefix("+")
    if not plain:
        return WITHHELD
    if len(plain) < 9:
        return "*" * (len(plain) - 2) + plain[-2:]
    return f"{plain[:3]}****{plain[-4:]}"


def mask_contact(written: str | None) -> str:
    """``mask`` of what somebody wrote as the way to reach them, a telephone number or not; "" of nothing."""
    return mask(normalise(written) or written) if written else ""
