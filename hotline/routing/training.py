"""Learning from messages whose labels a person has decided, and only taking up what is not worse than before."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.svm import LinearSVC

from hotline.errors import Invalid
from hotline.routing import features
from hotline.routing.model import CANDIDATES, Floats, Head, Model, Question, weigh

LEAST_SEEN: Final = 2  # messages a term must be in: what one alone says is chance, or a name
MOST_WEIGHTS: Final = 16_000_000  # terms times labels: 64 MB in memory
STRICTNESS: Final = 0.5  # C of the machine, chosen by cross-validation
PARTS: Final = 3  # for confidence: each part is judged by a machine that has not seen it
HELD_OUT: Final = 10  # one message in so many is never learnt from: by these two models are compared
MISTAKEN: Final = 0.05  # people err too: a label counts for so much less than all, or few messages make too sure
SCALES: Final = np.geomspace(0.5, 20, 60)


@dataclass(frozen=True, slots=True)
class Row:
    """A message and what a person decided about it. ``key`` names it for ever: by it, it is held out or not; a line of
    a list, which is nobody's message, has none and is never held out."""

    key: str
    title: str
    text: str
    labels: Mapping[Question, str]


@dataclass(frozen=True, slots=True)
class Figures:
    """How often a model is right about messages that it has not seen; shares from 0 to 1."""

    rows: int
    accuracy: float
    top2: float
    macro_f1: float


@dataclass(frozen=True)
class Outcome:
    """A new model, how it does on held-out messages, and how the one in use does on the same. ``better``: not worse in
    any question; then, and only then, it is to be used."""

    model: Model
    after: Mapping[Question, Figures]
    before: Mapping[Question, Figures] = field(default_factory=dict)

    @property
    def better(self) -> bool:
        """Whether the new model answers everything the old one does, each at least as often rightly."""
        return all(
            question in self.after and self.after[question].accuracy >= figures.accuracy
            for question, figures in self.before.items()
        )


def is_held_out(key: str) -> bool:
    """Return whether a message is kept for comparing: always the same ones, so that no model has ever learnt them."""
    return key != "" and zlib.crc32(key.encode()) % HELD_OUT == 0


def retrain(rows: Sequence[Row], *, in_use: Model | None, now: datetime) -> Outcome:
    """Return a model of the messages that are not held out, compared with the one in use on those that are.

    Seconds for thousands of messages, minutes for tens of thousands: no transaction should be open meanwhile.
    """
    held = [row for row in rows if is_held_out(row.key)]
    model = train([row for row in rows if not is_held_out(row.key)], now=now)
    return Outcome(model, measure(model, held), measure(in_use, held) if in_use else {})


def measure(model: Model, rows: Sequence[Row]) -> dict[Question, Figures]:
    """Return how a model does on messages with known labels, for each question that it answers and they tell."""
    return {
        question: figures(
            [
                (row.labels[question], [one.label for one in proposal.candidates] if proposal else [])
                for row in rows
                if question in row.labels
                for proposal in [model.propose(question, title=row.title, text=row.text)]
            ]
        )
        for question in model.heads
        if any(question in row.labels for row in rows)
    }


def figures(judged: Sequence[tuple[str, Sequence[str]]]) -> Figures:
    """Return the figures of (right label, labels proposed in order). ``macro_f1`` over the labels that are right of
    some message."""
    right, firsts = Counter(label for label, _ in judged), Counter(found[0] for _, found in judged if found)
    hits = Counter(label for label, found in judged if found and found[0] == label)
    return Figures(
        rows=len(judged),
        accuracy=hits.total() / len(judged),
        top2=sum(label in found[:2] for label, found in judged) / len(judged),
        macro_f1=float(np.mean([2 * hits[label] / (right[label] + firsts[label]) for label in right])),
    )


# ---- learning


def train(rows: Sequence[Row], *, now: datetime) -> Model:
    """Return a model that answers every question of which the messages know two labels or more.

    Raises ``Invalid`` when there is no such question: nothing can be learnt yet.
    """
    asked = {
        question: sorted({row.labels[question] for row in rows if question in row.labels}) for question in Question
    }
    asked = {question: labels for question, labels in asked.items() if len(labels) >= CANDIDATES}
    if not asked:
        raise Invalid("已确认的工单太少，还不能训练派单模型")
    counted = [features.terms(features.plain(row.title, row.text)) for row in rows]
    terms, idf = _vocabulary(counted, at_most=MOST_WEIGHTS // sum(map(len, asked.values())))
    matrix = _matrix(counted, terms, idf)
    heads = {}
    for question, labels in asked.items():
        told = [place for place, row in enumerate(rows) if question in row.labels]
        right = np.array([labels.index(rows[place].labels[question]) for place in told])
        heads[question] = _head(matrix[told], right, tuple(labels))
    return Model(terms, idf, heads, trained_at=now, rows=len(rows))


def _vocabulary(counted: Sequence[Counter[str]], *, at_most: int) -> tuple[tuple[str, ...], Floats]:
    """The terms seen often enough (of too many, those seen most), by family, and how much each weighs."""
    seen = Counter(term for one in counted for term in one)
    least = LEAST_SEEN if len(counted) >= 10 * LEAST_SEEN else 1
    kept = [term for term, times in seen.most_common(at_most) if times >= least]
    kept.sort(key=lambda term: (features.FAMILIES.index(term[0]), term))
    idf = np.log((1 + len(counted)) / (1 + np.array([seen[term] for term in kept]))) + 1
    return tuple(kept), idf.astype(np.float32)


def _matrix(counted: Iterable[Counter[str]], terms: Sequence[str], idf: Floats) -> csr_matrix:
    places = {term: place for place, term in enumerate(terms)}
    bounds = np.searchsorted([features.FAMILIES.index(term[0]) for term in terms], range(len(features.FAMILIES) + 1))
    columns, values, ends = [], [], [0]
    for one in counted:
        known = [(places[term], count) for term, count in one.items() if term in places]
        found = np.array([place for place, _ in known], np.int64)
        columns.append(found)
        values.append(weigh(found, np.array([count for _, count in known], np.float32), idf, bounds))
        ends.append(ends[-1] + len(found))
    return csr_matrix((np.concatenate(values), np.concatenate(columns), ends), shape=(len(ends) - 1, len(terms)))


def _head(matrix: csr_matrix, right: NDArray[np.int64], labels: tuple[str, ...]) -> Head:
    weights, bias = _separate(matrix, right, len(labels))
    # as the file keeps them, so that a loaded model answers as this one does
    return Head(labels, weights.astype(np.float16).astype(np.float32), bias, _scale(matrix, right, len(labels)))


def _separate(matrix: csr_matrix, right: NDArray[np.int64], labels: int) -> tuple[Floats, Floats]:
    """Weights by term and label, and a bias by label; a label that does not occur never wins."""
    machine = LinearSVC(C=STRICTNESS, random_state=0).fit(matrix, right)
    coefficients, intercepts = machine.coef_, machine.intercept_
    if len(machine.classes_) == 2:  # told once, for the second of them
        coefficients, intercepts = np.vstack([-coefficients, coefficients]), np.hstack([-intercepts, intercepts])
    weights, bias = np.zeros((matrix.shape[1], labels), np.float32), np.full(labels, -2, np.float32)
    weights[:, machine.classes_], bias[machine.classes_] = coefficients.T, intercepts
    return weights, bias


def _scale(matrix: csr_matrix, right: NDArray[np.int64], labels: int) -> float:
    """What scores are multiplied by so that confidence is as high as a label is often right, on parts not learnt."""
    scores, known = np.zeros((len(right), labels), np.float32), np.zeros(len(right), np.bool_)
    part = np.arange(len(right)) % PARTS
    for one in range(PARTS):
        learnt, judged = part != one, part == one
        if len(set(right[learnt])) >= CANDIDATES:
            weights, bias = _separate(matrix[learnt], right[learnt], labels)
            scores[judged] = matrix[judged] @ weights + bias
            known |= judged
    if not known.any():
        return 1.0
    scores, own = scores[known], scores[known, right[known]]
    meant = (1 - MISTAKEN) * own + MISTAKEN * scores.mean(axis=1)
    top = scores.max(axis=1)
    unlikely = [
        float(np.mean(np.log(np.exp((scores - top[:, None]) * scale).sum(axis=1)) + (top - meant) * scale))
        for scale in SCALES
    ]
    return float(SCALES[int(np.argmin(unlikely))])
