"""In what surroundings a document runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin

from . import grammar
from .errors import INVALID_URL, TwimlError


class LeftQueue(Exception):
    """`<Leave>` was executed."""


@dataclass(frozen=True)
class Scene:
    """Where a document may stand, its own address and method, and what its requests carry beside the leg's facts."""

    place: grammar.Place
    base: str = ""
    method: str = "POST"
    params: Callable[[], Mapping[str, str]] = dict

    def resolve(self, url: str) -> str:
        """An address in the document, made absolute. Raises TwimlError if that cannot be done."""
        absolute = urljoin(self.base, url) if self.base else url
        if not absolute.startswith(("http://", "https://")):
            raise TwimlError(INVALID_URL, f"{url!r} is no address, or a relative one in a document without its own")
        return absolute
