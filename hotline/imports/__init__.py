"""With what a city makes the system its own: files of each kind, looked through first, then written all at once."""

from __future__ import annotations

from typing import Final

from hotline.imports import assets, gazetteer, limits, lines, lists, people, tree
from hotline.imports.engine import Change, Outcome, Preview, Progress, Refused, preview, run, write_codes, write_refused
from hotline.imports.files import Rows, read
from hotline.imports.parts import Column, Kind

# in the order in which a city needs them
KINDS: Final[dict[str, Kind]] = {
    kind.name: kind
    for kind in (
        tree.UNITS,
        people.USERS,
        lists.CATEGORIES,
        lists.RESPONSIBILITY,
        gazetteer.GAZETTEER,
        assets.ASSETS,
        lines.NUMBERS,
        limits.PROFILES,
        limits.CALENDAR,
        limits.TEXTS,
    )
}

__all__ = [
    "KINDS",
    "Change",
    "Column",
    "Kind",
    "Outcome",
    "Preview",
    "Progress",
    "Refused",
    "Rows",
    "preview",
    "read",
    "run",
    "write_codes",
    "write_refused",
]
