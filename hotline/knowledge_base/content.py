"""What an entry says, as editors write it, files bring it and versions keep it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any, Final, Self

DAYS: Final = ("valid_from", "valid_to", "review_on")
LISTS: Final = ("similar", "areas", "attachments")


@dataclass(frozen=True, slots=True)
class Content:
    """One text of an entry. ``answer`` is Markdown (see ``answers``), ``owner_unit`` a unit's code (empty: the hub),
    ``areas`` codes of counties and townships (none: everywhere), ``attachments`` ids; days are inclusive."""

    question: str
    answer: str = ""
    similar: tuple[str, ...] = ()
    spoken: str = ""
    category: str = ""
    owner_unit: str = ""
    source: str = ""
    source_url: str = ""
    areas: tuple[str, ...] = ()
    valid_from: date | None = None
    valid_to: date | None = None
    review_on: date | None = None
    public: bool = True
    attachments: tuple[int, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return it as a version keeps it."""
        told = asdict(self)
        for name in DAYS:
            told[name] = told[name].isoformat() if told[name] else None
        for name in LISTS:
            told[name] = list(told[name])
        return told

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> Self:
        """Return what ``as_json`` kept; fields of later releases have their defaults."""
        values = {one.name: told[one.name] for one in fields(cls) if one.name in told}
        for name in DAYS:
            values[name] = date.fromisoformat(values[name]) if values.get(name) else None
        for name in LISTS:
            values[name] = tuple(values.get(name, ()))
        return cls(**values)
