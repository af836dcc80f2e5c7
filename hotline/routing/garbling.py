"""Messages as a recogniser would hear them, to learn from: recorded transcripts with a person's label are too few."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from hotline.knowledge_base.language import sounds

SAID: Final = 80  # characters: what a caller has said when a proposal is first wanted
WRONG: Final = 0.25  # of the characters
NEARLY: Final = 0.05  # of the wrong ones sound only nearly alike (zh/z, n/l, an/ang)


class Garbler:
    """Writes characters that sound alike for each other, with a seed: the same messages garble to the same."""

    def __init__(self, texts: Iterable[str], seed: int = 12345) -> None:
        self._chance = random.Random(seed)  # noqa: S311 - no secret
        self._alike: defaultdict[str, list[str]] = defaultdict(list)
        self._near: defaultdict[str, list[str]] = defaultdict(list)
        for char in sorted({char for text in texts for char in text} & sounds.readings().keys()):
            said = sounds.readings()[char][0]
            self._alike[said].append(char)
            self._near[sounds.merge(said)].append(char)

    def garbled(self, said: str) -> str:
        """Return a text of as many characters, some of them wrong."""
        return "".join(self._misheard(char) if self._chance.random() < WRONG else char for char in said)

    def _misheard(self, char: str) -> str:
        readings = sounds.readings().get(char)
        if readings is None:
            return char
        if self._chance.random() < NEARLY:
            return self._chance.choice(self._near.get(sounds.merge(readings[0]), [char]))
        return self._chance.choice(self._alike.get(readings[0], [char]))


def opening(said: str) -> str:
    """Return the beginning of a ``plain`` text as it is heard: without stops."""
    return said.replace(" ", "")[:SAID]
