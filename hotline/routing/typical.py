"""What messages that are alike have in common: a label's typical matters, and how near to one of them a message is.

A line between labels knows what speaks for a label in general; this knows that wages and a broken lift, which share no
word, both lie on the same side of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Places = NDArray[np.int64]
ARRAYS = ("telling", "starts", "centres", "values", "firsts")


@dataclass(frozen=True)
class Typical:
    """Centres of a few messages each, of one length, kept by their strongest terms.

    ``telling`` by term: how much it tells labels apart. The entries of a term, from its place in ``starts`` to the next
    one's: a number in ``centres`` and how strong the term is there in ``values``. ``firsts``: the number of each
    label's first centre; every label has one or more. ``starts`` and ``firsts`` end with how many there are in all.
    """

    telling: Floats
    starts: Places
    centres: Places
    values: Floats
    firsts: Places

    def nearness(self, places: Places, values: Floats) -> Floats:
        """Return how near a text is to the nearest centre of each label, from 0 to 1: the cosine of their angle.

        ``places`` and ``values`` of the text's terms, one or more.
        """
        raised = values * self.telling[places]
        begins = self.starts[places]
        counts = self.starts[places + 1] - begins
        entries = np.arange(counts.sum()) + np.repeat(begins - (np.cumsum(counts) - counts), counts)
        strong = np.repeat(raised, counts) * self.values[entries]
        near = np.bincount(self.centres[entries], strong, self.firsts[-1])
        length = max(float(np.linalg.norm(raised)), np.finfo(np.float32).tiny)
        nearest: Floats = (np.maximum.reduceat(near, self.firsts[:-1]) / length).astype(np.float32)
        return nearest

    # ---- in a file

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what is kept of it, by name."""
        return {
            "telling": self.telling.astype(np.float16),
            "starts": self.starts.astype(np.int32),
            "centres": self.centres.astype(np.int32),
            "values": self.values.astype(np.float16),
            "firsts": self.firsts.astype(np.int32),
        }

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[Any]], *, terms: int, labels: int) -> Self:
        """Return what was kept; raises ``ValueError`` or ``KeyError`` for arrays that do not belong together."""
        telling, values = (arrays[name].astype(np.float32) for name in ("telling", "values"))
        starts, centres, firsts = (arrays[name].astype(np.int64) for name in ("starts", "centres", "firsts"))
        if (
            [telling.shape, starts.shape, firsts.shape, values.shape]
            != [(terms,), (terms + 1,), (labels + 1,), centres.shape]
            or [starts[0], starts[-1], firsts[0]] != [0, len(centres), 0]
            or (np.diff(starts) < 0).any()
            or (np.diff(firsts) < 1).any()
            or not ((centres >= 0) & (centres < firsts[-1])).all()
        ):
            raise ValueError("typical matters do not fit")
        if not (np.isfinite(telling).all() and np.isfinite(values).all()):
            raise ValueError("not numbers")
        return cls(telling, starts, centres, values, firsts)
