"""Synonyms and local names: what people say is read as what it means, in entries and in queries alike."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Self

from hotline.knowledge_base.language.tokens import normalise


@dataclass(frozen=True, slots=True)
class Synonyms:
    """What each term means, both normalised, and a pattern that finds terms; None without any."""

    means: dict[str, str]
    pattern: re.Pattern[str] | None

    @classmethod
    def of(cls, pairs: Iterable[tuple[str, str]]) -> Self:
        """Take (term, what it means); those of which nothing is left by ``normalise`` say nothing."""
        plain = ((normalise(term), normalise(means)) for term, means in pairs)
        means = {term: meant for term, meant in plain if term and meant and term != meant}
        # what is meant is found too and stays, or 卡 for 社保卡 would make 社保社保卡 of 社保卡
        found = sorted({*means, *means.values()}, key=len, reverse=True)
        return cls(means, re.compile("|".join(map(re.escape, found))) if found else None)

    def read(self, plain: Sequence[str]) -> list[str]:
        """Return normalised texts with what is meant in place of each term; once, a meaning is read no further."""
        if self.pattern is None or not plain:
            return list(plain)
        means = self.means
        return self.pattern.sub(lambda found: means.get(found[0], found[0]), "\n".join(plain)).split("\n")


NO_SYNONYMS: Final = Synonyms.of(())
