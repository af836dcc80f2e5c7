"""A linear model: a weight for each term and label. It proposes, with confidence and the words that spoke for it.

Several questions (category, unit, urgency) share one vocabulary. Needs nothing but numpy to answer, and is kept as one
file that holds arrays and JSON, never code.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import repeat
from typing import Any, Final, Self

import numpy as np
import rjieba
from numpy.typing import NDArray

from hotline.errors import Invalid
from hotline.routing import features

FORMAT: Final = "hotline-routing-1"
LARGEST: Final = 256 * 1024 * 1024  # bytes of arrays a file may unfold to
CANDIDATES: Final = 2
MARGIN: Final = 0.25  # of confidence between the first two: below, a person is asked
UNKNOWN: Final = -1  # place of a term that was not learnt
SPOKE: Final = 5  # words shown as reason

Floats = NDArray[np.float32]
Places = NDArray[np.int64]


class Question(StrEnum):
    """What a model can be asked about a message."""

    CATEGORY = "category"
    UNIT = "unit"
    URGENCY = "urgency"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One label (a code) that may be right. ``confidence`` from 0 to 1; ``words`` of the message that spoke for it,
    the strongest first: they may be personal, and are for the one who reads the message anyway."""

    label: str
    confidence: float
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proposal:
    """The two likeliest labels, the likeliest first. ``asks``: they are too near for the first to be taken unasked."""

    candidates: tuple[Candidate, ...]
    asks: bool


@dataclass(frozen=True)
class Head:
    """The answer to one question. ``weights`` by term and label; ``scale`` turns scores into confidence."""

    labels: tuple[str, ...]
    weights: Floats
    bias: Floats
    scale: float

    def confidences(self, scores: Floats) -> Floats:
        """Return how likely each label is, adding up to 1."""
        raised = np.exp((scores - scores.max()) * self.scale)
        sure: Floats = raised / raised.sum()
        return sure


@dataclass(frozen=True)
class Model:
    """``idf`` tells how much a term weighs by being rare; ``terms`` are ordered by family."""

    terms: tuple[str, ...]
    idf: Floats
    heads: Mapping[Question, Head]
    trained_at: datetime
    rows: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "_places", {term: place for place, term in enumerate(self.terms)})
        families = [features.FAMILIES.index(term[0]) for term in self.terms]
        object.__setattr__(self, "_bounds", np.searchsorted(families, range(len(features.FAMILIES) + 1)))

    _places: Mapping[str, int] = None  # type: ignore[assignment]
    _bounds: Places = None  # type: ignore[assignment]

    def answers(self, question: Question) -> bool:
        """Return whether the model has learnt to answer a question."""
        return question in self.heads

    def propose(self, question: Question, *, title: str, text: str) -> Proposal | None:
        """Return the two likeliest labels; None when the question was not learnt, or nothing in the message is known.

        Takes about a millisecond for a message of usual length.
        """
        head = self.heads.get(question)
        said = features.plain(title, text)
        places, values = self._weighed(said)
        if head is None or not len(places):
            return None
        weights = head.weights[places]
        sure = head.confidences(values @ weights + head.bias)
        order = np.argsort(-sure, kind="stable")[:CANDIDATES]
        spoke = values[:, None] * (weights[:, order] - weights.mean(axis=1, keepdims=True))
        reasons = self._reasons(said, places, spoke)
        candidates = tuple(
            Candidate(head.labels[label], float(sure[label]), words)
            for label, words in zip(order, reasons, strict=True)
        )
        return Proposal(candidates, asks=candidates[0].confidence - candidates[1].confidence < MARGIN)

    def _weighed(self, said: str) -> tuple[Places, Floats]:
        """The known terms of a text and their weights, those of each family of length 1."""
        found = features.terms(said)
        places = np.fromiter(map(self._places.get, found, repeat(UNKNOWN)), np.int64, len(found))
        counts = np.fromiter(found.values(), np.float32, len(found))
        known = places != UNKNOWN
        return places[known], weigh(places[known], counts[known], self.idf, self._bounds)

    def _reasons(self, said: str, places: Places, spoke: Floats) -> list[tuple[str, ...]]:
        """The words whose terms raised each candidate most above the mean of all labels."""
        place_of = self._places
        words = {
            word: [place_of.get(term, UNKNOWN) for term in features.terms_of_word(word)]
            for word in dict.fromkeys(rjieba.cut(said))
            if len(word) > 1
        }
        return [_strongest(words, dict(zip(places.tolist(), raised, strict=True))) for raised in spoke.T.tolist()]

    # ---- as a file

    def dump(self) -> bytes:
        """Return the model as one file."""
        told = {
            "format": FORMAT,
            "trained_at": self.trained_at.isoformat(),
            "rows": self.rows,
            "heads": {question: {"labels": head.labels, "scale": head.scale} for question, head in self.heads.items()},
        }
        arrays = {"told": _letters(json.dumps(told)), "idf": self.idf}
        arrays["terms"] = _letters("\n".join(map(features.written, self.terms)))
        for question, head in self.heads.items():
            arrays[f"{question}.weights"] = head.weights.astype(np.float16)
            arrays[f"{question}.bias"] = head.bias
        file = io.BytesIO()
        np.savez_compressed(file, allow_pickle=False, **arrays)  # type: ignore[arg-type]
        return file.getvalue()

    @classmethod
    def load(cls, data: bytes) -> Self:
        """Return the model of a file; raises ``Invalid`` in words for anything that is none."""
        try:
            return cls._of(_arrays(data))
        except (ValueError, KeyError, TypeError, AttributeError, OSError, EOFError, zipfile.BadZipFile) as fault:
            raise Invalid("这不是可用的派单模型文件") from fault

    @classmethod
    def _of(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        told = json.loads(arrays["told"].tobytes())
        if told["format"] != FORMAT:
            raise ValueError("another format")
        terms = tuple(map(features.read, arrays["terms"].tobytes().decode().split("\n")))
        heads = {}
        for name, head in told["heads"].items():
            weights, bias = arrays[f"{name}.weights"].astype(np.float32), arrays[f"{name}.bias"].astype(np.float32)
            labels = tuple(map(str, head["labels"]))
            if weights.shape != (len(terms), len(labels)) or bias.shape != (len(labels),) or len(labels) < CANDIDATES:
                raise ValueError("shapes do not fit")
            if not (np.isfinite(weights).all() and np.isfinite(bias).all()):
                raise ValueError("not numbers")
            heads[Question(name)] = Head(labels, weights, bias, float(head["scale"]))
        idf = arrays["idf"].astype(np.float32)
        if idf.shape != (len(terms),) or any(term[:1] not in features.FAMILIES for term in terms):
            raise ValueError("terms do not fit")
        return cls(terms, idf, heads, datetime.fromisoformat(told["trained_at"]), int(told["rows"]))


def weigh(places: Places, counts: Floats, idf: Floats, bounds: Places) -> Floats:
    """Return the weights of one text's terms: damped counts times rarity, each family brought to length 1.

    ``places`` in the vocabulary, whose families begin and end at ``bounds``.
    """
    values = (1 + np.log(counts)) * idf[places]
    family = np.searchsorted(bounds, places, side="right") - 1
    lengths = np.sqrt(np.bincount(family, values * values, len(bounds)))
    weighed: Floats = (values / lengths[family]).astype(np.float32)
    return weighed


def _strongest(words: Mapping[str, Sequence[int]], raised: Mapping[int, float]) -> tuple[str, ...]:
    by_word = {word: sum(raised.get(place, 0.0) for place in places) for word, places in words.items()}
    best = sorted(by_word, key=by_word.__getitem__, reverse=True)[:SPOKE]
    return tuple(word for word in best if by_word[word] > 0)


def _letters(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), np.uint8)


def _arrays(data: bytes) -> dict[str, NDArray[Any]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(part.file_size for part in archive.infolist()) > LARGEST:
            raise ValueError("too large")
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}
