"""From likeness to a score: a small net whose weights ``scripts/train_likeness.py`` learned, and how sure it is."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from hotline.knowledge_base.search.likeness import NAMES, Floats

WEIGHTS: Final = Path(__file__).with_name("weights.json")
FLOOR: Final = -15.0  # a score below this tells no more
DEEPER: Final = (1, 2, 3, 5, 10, 20)  # places the best entry's lead over is looked at
SOFT: Final = 4.0  # this much behind the best means 1/e of its score


@dataclass(frozen=True, slots=True)
class Weights:
    """What was learned: ``(features - mean) / scale`` through one hidden layer beside a direct way, and a logistic
    regression over ``standing`` that tells how surely the best are answers at all."""

    mean: Floats
    scale: Floats
    hidden: Floats
    hidden_bias: Floats
    out: Floats
    bias: float
    direct: Floats
    sure: Floats
    sure_bias: float

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file of weights; raises ValueError when it was made for other features."""
        read = json.loads(path.read_text(encoding="utf-8"))
        if tuple(read.pop("features")) != NAMES:
            raise ValueError(f"{path.name} was trained on other features")
        return cls(**{name: _number(value) for name, value in read.items()})

    def scaled(self, rows: Floats) -> Floats:
        """Return features as the net takes them."""
        return (rows - self.mean) * self.scale

    def scores(self, scaled: Floats) -> Floats:
        """Return how well each row fits, as the logarithm of its odds against 'none fits'."""
        found: Floats = np.tanh(scaled @ self.hidden + self.hidden_bias) @ self.out + scaled @ self.direct + self.bias
        return found

    def sureness(self, scores: Floats, top: Floats) -> float:
        """Return 0..1 for entries' scores, best first, and the best's scaled features."""
        told = standing(scores, top) @ self.sure + self.sure_bias
        return float(1 / (1 + np.exp(-np.clip(told, -30, 30))))


def standing(scores: Floats, top: Floats) -> Floats:
    """Return what sureness is judged by: the best score, its lead over lower places, what is left to them, and the
    best's features."""
    held = np.full(DEEPER[-1] + 1, FLOOR, np.float32)
    held[: len(scores)] = np.maximum(scores[: len(held)], FLOOR)
    rest = np.log(np.exp(held[5:]).sum() + 0.01)
    return np.concatenate([held[:1], held[0] - held[list(DEEPER)], [rest], np.clip(top, -4, 4)]).astype(np.float32)


def shares(scores: Floats) -> NDArray[np.float64]:
    """Return 0..1 for entries' scores, best first: what each is beside the best."""
    beside: NDArray[np.float64] = np.exp((scores - scores[0]).astype(np.float64) / SOFT)
    return beside


@cache
def weights() -> Weights:
    """Return the weights this version ships. Read once."""
    return Weights.read(WEIGHTS)


def _number(value: Any) -> Any:
    return np.array(value, np.float32) if isinstance(value, list) else float(value)
