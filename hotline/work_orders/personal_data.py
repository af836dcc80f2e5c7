"""What must not stand in words anybody may read: numbers that lead to a person."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import phonenumbers

_BETWEEN: Final = r"[ .·\-‐-―]{1,2}"  # what people write between the groups of a number
_YEAR: Final = r"(?:18|19|20)\d{2}"
_MONTH: Final = r"(?:0[1-9]|1[0-2])"
_DAY: Final = r"(?:0[1-9]|[12]\d|3[01])"
# Six digits of a place, a birth date, three digits and a check character. Where the date falls into groups too, the
# same stands between all of them: "131103 2026-11-18 1504" is an area and a moment.
_GROUPINGS: Final = (
    rf"[1-9]\d{{5}}(?:{_BETWEEN})?{_YEAR}{_MONTH}{_DAY}(?:{_BETWEEN})?\d{{3}}[\dXx]",
    rf"[1-9]\d{{5}}(?P<by_date>{_BETWEEN}){_YEAR}(?P=by_date){_MONTH}(?:(?P=by_date))?{_DAY}(?P=by_date)\d{{3}}[\dXx]",
    rf"[1-9]\d{{3}}(?P<by_four>{_BETWEEN})\d\d(?:18|19|20)(?P=by_four)\d\d{_MONTH}(?P=by_four){_DAY}\d\d"
    r"(?P=by_four)\d[\dXx]",
)
_ID_CARD: Final = re.compile(rf"(?<!\d)(?:{'|'.join(_GROUPINGS)})(?![\dXx])")
# the library takes no number that letters or a sign of money touch, as in vx1990…; a mobile number is one all the same
_MOBILE: Final = re.compile(rf"(?<!\d)1[3-9]\d(?:{_BETWEEN})?\d{{4}}(?:{_BETWEEN})?\d{{4}}(?!\d)")


@dataclass(frozen=True, slots=True)
class _Number:
    """A number that leads to a person, and where in the text it stands."""

    start: int
    end: int
    kind: str
    written: str  # in plain digits


def found_in(text: str) -> list[str]:
    """Return what looks like an ID-card or telephone number in ``text``, each as ``电话号码 138****1234``.

    Masked, because the finding itself is shown and may be logged. Short public numbers (12345, 110) are no fault.
    """
    return [f"{number.kind} {_masked(number.written)}" for number in _numbers(text)]


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
    for number in reversed(_numbers(text)):
        text = f"{text[: number.start]}{write(number.written)}{text[number.end :]}"
    return text


def _numbers(text: str) -> list[_Number]:
    """Return the numbers that lead to a person, the first first; none overlaps another."""
    # a sign may become several (⑴), so each remembers where it came from
    signs = [(sign, at) for at, written in enumerate(text) for sign in unicodedata.normalize("NFKC", written)]
    plain = "".join(sign for sign, _ in signs)
    found = []
    for kind, spans_in in _KINDS:
        for start, end in spans_in(plain):
            found.append(_Number(signs[start][1], signs[end - 1][1] + 1, kind, plain[start:end]))
            plain = plain[:start] + "\n" * (end - start) + plain[end:]  # no number goes on over the end of a line
    return sorted(found, key=lambda number: number.start)


def _cards(plain: str) -> list[tuple[int, int]]:
    return [match.span() for match in _ID_CARD.finditer(plain)]


def _mobiles(plain: str) -> list[tuple[int, int]]:
    return [match.span() for match in _MOBILE.finditer(plain)]


def _telephones(plain: str) -> list[tuple[int, int]]:
    return [(match.start, match.end) for match in phonenumbers.PhoneNumberMatcher(plain, "CN")]


_KINDS: Final = (("身份证号码", _cards), ("电话号码", _mobiles), ("电话号码", _telephones))


def _masked(number: str) -> str:
    digits = re.sub(r"[^\dXx]", "", number)
    return f"{digits[:3]}****{digits[-4:]}"
