"""What tells who a caller is, wherever others wrote it down: found again before the caller is forgotten."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any, Final

from hotline.callers.models import Caller

GONE: Final = "［已删除］"
_COUNTRY: Final = "+86"
_WIDE: Final = 0xFEE0  # from a digit to the one of full width
_BETWEEN: Final = r"[\s\-－]*"


class Traces:
    """A caller's name, numbers and addresses, as they were told; taken before ``callers.service.erase``.

    A name of one character is left out: it stands in too many words.
    """

    def __init__(self, caller: Caller) -> None:
        told = [value for value in (caller.phone, caller.contact) if value]
        numbers = [value for value in told if value.startswith("+")]
        words = [caller.name, caller.email, caller.phone_mask, *(value for value in told if value not in numbers)]
        wanted = [*map(_written, numbers), *(re.escape(word) for word in words if word and len(word) > 1)]
        # the longest first: a name may stand inside an address
        self._any = re.compile("|".join(sorted(wanted, key=len, reverse=True))) if wanted else None

    def within(self, value: Any) -> bool:
        """Whether anything of the caller stands in a text, or anywhere in a JSON value."""
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        return self._any is not None and self._any.search(text) is not None

    def without(self, text: str) -> str:
        """Return ``text`` with ``GONE`` where the caller stood."""
        return text if self._any is None else self._any.sub(GONE, text)

    def leave(self, row: object, fields: Iterable[str]) -> None:
        """Rewrite these text fields of a row without the caller; those that never told of them stay untouched."""
        for name in fields:
            value = getattr(row, name)
            if value and self.within(value):
                setattr(row, name, self.without(value))


def _written(number: str) -> str:
    """Return a pattern of a number however people write it: grouped, with or without the country, in full width."""
    domestic = number.startswith(_COUNTRY)
    digits = number.removeprefix(_COUNTRY if domestic else "+")
    each = _BETWEEN.join(f"[{digit}{chr(ord(digit) + _WIDE)}]" for digit in digits)
    before = rf"(?:(?:\+|00)?86{_BETWEEN})?0?" if domestic else r"(?:\+|00)?"
    return rf"(?<!\d){before}{each}(?!\d)"
