"""Weights of terms for each label, and typical matters of each. It proposes, with confidence and the words that spoke.

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
from functools import cached_property
from itertools import chain, compress, count, repeat
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from hotline.errors import Invalid
from hotline.routing import features, typical
from hotline.routing.features import Form
from hotline.routing.typical import Floats, Places, Typical

FORMAT: Final = "hotline-routing-2"
LARGEST: Final = 256 * 1024 * 1024  # bytes of arrays a file may unfold to
CANDIDATES: Final = 2
MARGIN: Final = 0.25  # of confidence between the first two: below, a person is asked
SPOKE: Final = 5  # words shown as reason
TITLED: Final = 0.5  # what a title counts by itself, beside all that was written; chosen by cross-validation
NEAR: Final = 2.0  # what it counts to be near a typical matter, beside the weights; chosen by cross-validation


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
    """The answer to one question about messages of one form. ``weights`` by term (of the form's stretch of the
    vocabulary) and label; ``scale`` turns scores into confidence."""

    labels: tuple[str, ...]
    weights: Floats
    bias: Floats
    typical: Typical
    scale: float = 1.0

    def scores(self, places: Places, values: Floats) -> Floats:
        """Return how much speaks for each label, of terms at places of the form's stretch."""
        scores: Floats = values @ self.weights[places] + self.bias + NEAR * self.typical.nearness(places, values)
        return scores

    def with_title(self, scores: Floats, places: Places, values: Floats) -> Floats:
        """Return the scores of a message and of the terms of its title, if any: in a long letter they are lost."""
        return scores + TITLED * self.scores(places, values) if len(places) else scores

    def confidences(self, scores: Floats) -> Floats:
        """Return how likely each label is, adding up to 1."""
        raised = np.exp((scores - scores.max()) * self.scale)
        sure: Floats = raised / raised.sum()
        return sure


@dataclass(frozen=True)
class Model:
    """``terms`` in the order of ``features.in_order``; ``idf`` tells how much each weighs by being rare."""

    terms: tuple[str, ...]
    idf: Floats
    heads: Mapping[tuple[Question, Form], Head]
    trained_at: datetime
    rows: int

    @cached_property
    def _places(self) -> dict[str, int]:
        return {term: place for place, term in enumerate(self.terms)}

    @cached_property
    def _bounds(self) -> Places:
        return features.bounds_of(self.terms)

    @property
    def questions(self) -> list[Question]:
        """What it has learnt to answer."""
        return [question for question in Question if (question, Form.WRITTEN) in self.heads]

    def propose(self, question: Question, *, title: str, text: str) -> Proposal | None:
        """Return the two likeliest labels; None when the question was not learnt, or nothing in the message is known.

        A text without any stop is taken for a transcript. Takes about a millisecond for a message of usual length.
        """
        form = features.form_of(text)
        head = self.heads.get((question, form))
        said = features.plain(title, text)
        known, places, values = self._weighed(said, form)
        if head is None or not len(places):
            return None
        scores = head.scores(places, values)
        if form == Form.WRITTEN:
            _, titled, strong = self._weighed(features.plain(title, ""), form)
            scores = head.with_title(scores, titled, strong)
        sure = head.confidences(scores)
        weights = head.weights[places]
        order = np.argsort(-sure, kind="stable")[:CANDIDATES]
        spoke = values[:, None] * (weights[:, order] - weights.mean(axis=1, keepdims=True))
        reasons = _reasons(said, known, spoke)
        candidates = tuple(
            Candidate(head.labels[label], float(sure[label]), words)
            for label, words in zip(order, reasons, strict=True)
        )
        return Proposal(candidates, asks=candidates[0].confidence - candidates[1].confidence < MARGIN)

    def _weighed(self, said: str, form: Form) -> tuple[list[str], Places, Floats]:
        """The known terms of a text, their places in the form's stretch and their weights."""
        counted = features.terms(said, form)
        everywhere = np.fromiter(map(self._places.get, counted, repeat(-1)), np.int64, len(counted))
        known = everywhere >= 0
        places = everywhere[known]
        counts = np.fromiter(counted.values(), np.float32, len(counted))[known]
        values = features.weigh(places, counts, self.idf, self._bounds, form)
        return list(compress(counted, known)), places - features.stretch(self._bounds, form).start, values

    # ---- as a file

    def dump(self) -> bytes:
        """Return the model as one file."""
        told = {
            "format": FORMAT,
            "trained_at": self.trained_at.isoformat(),
            "rows": self.rows,
            "heads": [
                {"question": question, "form": form, "labels": head.labels, "scale": head.scale}
                for (question, form), head in self.heads.items()
            ],
        }
        arrays = {"told": _letters(json.dumps(told)), "idf": self.idf}
        arrays["terms"] = _letters("\n".join(map(features.written, self.terms)))
        for (question, form), head in self.heads.items():
            arrays[f"{question}.{form}.weights"] = head.weights.astype(np.float16)
            arrays[f"{question}.{form}.bias"] = head.bias
            arrays |= {f"{question}.{form}.{name}": kept for name, kept in head.typical.arrays().items()}
        file = io.BytesIO()
        np.savez_compressed(file, allow_pickle=False, **arrays)  # type: ignore[arg-type]
        return file.getvalue()

    @classmethod
    def load(cls, data: bytes) -> Self:
        """Return the model of a file; raises ``Invalid`` in words for anything that is none."""
        try:
            return cls._of(_arrays(data))
        except (ValueError, LookupError, TypeError, AttributeError, OSError, EOFError, zipfile.BadZipFile) as fault:
            raise Invalid("这不是可用的派单模型文件") from fault

    @classmethod
    def _of(cls, arrays: Mapping[str, NDArray[Any]]) -> Self:
        told = json.loads(arrays["told"].tobytes())
        if told["format"] != FORMAT:
            raise ValueError("another format")
        terms = tuple(map(features.read, arrays["terms"].tobytes().decode().split("\n")))
        if list(terms) != sorted(terms, key=features.in_order):
            raise ValueError("terms out of order")
        idf = arrays["idf"].astype(np.float32)
        if idf.shape != (len(terms),):
            raise ValueError("shapes do not fit")
        bounds = features.bounds_of(terms)
        heads = {}
        for one in told["heads"]:
            question, form = Question(one["question"]), Form(one["form"])
            part = features.stretch(bounds, form)
            heads[question, form] = _head(
                tuple(map(str, one["labels"])),
                arrays[f"{question}.{form}.weights"].astype(np.float32),
                arrays[f"{question}.{form}.bias"].astype(np.float32),
                Typical.of(
                    {name: arrays[f"{question}.{form}.{name}"] for name in typical.ARRAYS},
                    terms=part.stop - part.start,
                    labels=len(one["labels"]),
                ),
                float(one["scale"]),
                terms=part.stop - part.start,
            )
        return cls(terms, idf, heads, datetime.fromisoformat(told["trained_at"]), int(told["rows"]))


def _head(labels: tuple[str, ...], weights: Floats, bias: Floats, near: Typical, scale: float, *, terms: int) -> Head:
    if len(labels) < CANDIDATES or weights.shape != (terms, len(labels)) or bias.shape != (len(labels),):
        raise ValueError("shapes do not fit")
    if not (np.isfinite(weights).all() and np.isfinite(bias).all() and np.isfinite(scale)):
        raise ValueError("not numbers")
    return Head(labels, weights, bias, near, scale)


def _reasons(said: str, known: Sequence[str], spoke: Floats) -> list[tuple[str, ...]]:
    """The words whose terms raised each candidate most above the mean of all labels, the strongest first. ``spoke`` by
    known term and candidate."""
    words = list(features.words(said))
    if not words:
        return [()] * spoke.shape[1]
    places, nowhere = dict(zip(known, count(), strict=False)), len(known)
    within = list(chain.from_iterable(terms for _, terms in words))
    begins = np.cumsum([0, *(len(terms) for _, terms in words)])[:-1]
    found = np.fromiter(map(places.get, within, repeat(nowhere)), np.int64, len(within))
    raised = np.add.reduceat(np.vstack([spoke, np.zeros_like(spoke[:1])])[found], begins)
    strongest = np.argsort(-raised, axis=0, kind="stable")[:SPOKE]
    return [
        tuple(words[word][0] for word in strongest[:, candidate] if raised[word, candidate] > 0)
        for candidate in range(spoke.shape[1])
    ]


def _letters(text: str) -> NDArray[np.uint8]:
    return np.frombuffer(text.encode(), np.uint8)


def _arrays(data: bytes) -> dict[str, NDArray[Any]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if sum(part.file_size for part in archive.infolist()) > LARGEST:
            raise ValueError("too large")
    with np.load(io.BytesIO(data), allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}
