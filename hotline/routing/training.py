"""Learning from messages whose labels a person has decided, and only taking up what is not worse than before."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, diags, vstack
from sklearn.cluster import MiniBatchKMeans
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC

from hotline.errors import Invalid
from hotline.routing import features, garbling
from hotline.routing.features import Form
from hotline.routing.model import CANDIDATES, Head, Model, Question
from hotline.routing.typical import Floats, Typical

LEAST_SEEN: Final = 2  # messages a term must be in: what one alone says is chance, or a name …
FEW: Final = 20  # … unless there are fewer messages than this
NEVER: Final = -2.0  # score of a label nothing was learnt of
MOST_WEIGHTS: Final = 16_000_000  # terms times labels: 64 MB in memory
STRICTNESS: Final = 0.6  # C of the machine, chosen by cross-validation
ALIKE: Final = 8  # messages to a centre, about
MOST_CENTRES: Final = 100  # of a label
STRONGEST: Final = 300  # terms kept of a centre
PARTS: Final = 4  # for confidence: one is judged by a machine that has learnt from the others
HELD_OUT: Final = 10  # one message in so many is never learnt from: by these two models are compared
MISTAKEN: Final = 0.02  # people err too: a label counts for so much less than all, or few messages make too sure
SCALES: Final = np.geomspace(0.5, 20, 60)
NONE: Final = csr_matrix((1, 0), dtype=np.float32)


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
        for question in model.questions
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


@dataclass(frozen=True, slots=True)
class Lesson:
    """The terms of a text of one form, and of which row it is. ``asked``: people will ask about texts like this one,
    so confidence is judged by it; others are only learnt from."""

    row: int
    terms: Counter[str]
    asked: bool = True


def train(rows: Sequence[Row], *, now: datetime) -> Model:
    """Return a model that answers every question of which the messages know two labels or more, about messages that
    were written and about such that were heard.

    Raises ``Invalid`` when there is no such question: nothing can be learnt yet.
    """
    asked = {
        question: sorted({row.labels[question] for row in rows if question in row.labels}) for question in Question
    }
    asked = {question: labels for question, labels in asked.items() if len(labels) >= CANDIDATES}
    if not asked:
        raise Invalid("已确认的工单太少，还不能训练派单模型")
    said = [features.plain(row.title, row.text) for row in rows]
    lessons = {Form.WRITTEN: [*_lessons(Form.WRITTEN, said), *_of_titles(rows)], Form.HEARD: _as_heard(said)}
    whole = [lessons[Form.WRITTEN][place].terms | lessons[Form.HEARD][place].terms for place in range(len(rows))]
    terms, idf = _vocabulary(whole, at_most=MOST_WEIGHTS // sum(map(len, asked.values())) // len(Form))
    heads = {}
    for form, learnt in lessons.items():
        matrix = _matrix(learnt, terms, idf, form)
        shares = features.shares(features.bounds_of(terms), form)
        for question, labels in asked.items():
            told = [place for place, lesson in enumerate(learnt) if question in rows[lesson.row].labels]
            right = np.array([labels.index(rows[learnt[place].row].labels[question]) for place in told])
            of = np.array([learnt[place].row for place in told])
            asked_so = np.array([learnt[place].asked for place in told])
            heads[question, form] = _head(Told(matrix[told], right, of, asked_so, shares), tuple(labels))
    return Model(terms, idf, heads, trained_at=now, rows=len(rows))


def _lessons(form: Form, said: Iterable[str]) -> list[Lesson]:
    return [Lesson(place, features.terms(text, form)) for place, text in enumerate(said)]


def _of_titles(rows: Sequence[Row]) -> list[Lesson]:
    """Titles by themselves: what a matter is about is said there, and lost in a long letter."""
    titles = _lessons(Form.WRITTEN, (features.plain(row.title, "") for row in rows))
    return [replace(lesson, asked=False) for lesson in titles if lesson.terms]


def _as_heard(said: Sequence[str]) -> list[Lesson]:
    """Each message as if it had been heard: all of it, its opening, and its opening misheard."""
    openings = [garbling.opening(text) for text in said]
    misheard = map(garbling.Garbler(said).garbled, openings)
    return [lesson for texts in (said, openings, misheard) for lesson in _lessons(Form.HEARD, texts)]


def _vocabulary(counted: Sequence[Counter[str]], *, at_most: int) -> tuple[tuple[str, ...], Floats]:
    """The terms seen often enough (of too many, those seen most), in order, and how much each weighs."""
    seen = Counter(term for one in counted for term in one)
    least = LEAST_SEEN if len(counted) >= FEW else 1
    kept = sorted((term for term, times in seen.most_common(at_most) if times >= least), key=features.in_order)
    idf = np.log((1 + len(counted)) / (1 + np.array([seen[term] for term in kept]))) + 1
    return tuple(kept), idf.astype(np.float32)


def _matrix(lessons: Iterable[Lesson], terms: Sequence[str], idf: Floats, form: Form) -> csr_matrix:
    """The weights of each lesson's terms, in the form's stretch of the vocabulary."""
    places = {term: place for place, term in enumerate(terms)}
    bounds = features.bounds_of(terms)
    columns, values, ends = [], [], [0]
    for lesson in lessons:
        known = [(places[term], count) for term, count in lesson.terms.items() if term in places]
        found = np.array([place for place, _ in known], np.int64)
        columns.append(found)
        values.append(features.weigh(found, np.array([count for _, count in known], np.float32), idf, bounds, form))
        ends.append(ends[-1] + len(found))
    whole = csr_matrix((np.concatenate(values), np.concatenate(columns), ends), shape=(len(ends) - 1, len(terms)))
    return whole[:, features.stretch(bounds, form)]


@dataclass(frozen=True, slots=True)
class Told:
    """Lessons about one question: their terms, the right label of each (its place), and as in ``Lesson``.

    ``shares``: where each family stands among the terms, and what it counts.
    """

    matrix: csr_matrix
    right: NDArray[np.int64]
    row: NDArray[np.int64]
    asked: NDArray[np.bool_]
    shares: Sequence[tuple[slice, float]]

    def only(self, which: NDArray[np.bool_]) -> Told:
        """Return some of them."""
        return Told(self.matrix[which], self.right[which], self.row[which], self.asked[which], self.shares)


def _head(told: Told, labels: tuple[str, ...]) -> Head:
    """The answer to a question. Confidence is as high as it would be right about rows that were not learnt."""
    apart = told.row % PARTS == 0
    learnt, judged = told.only(~apart), told.only(apart)
    scale = 1.0
    if len(np.unique(learnt.right)) >= CANDIDATES and judged.asked.any():
        scale = _scale(_scores(_learnt(learnt, labels), judged), judged.right[judged.asked])
    return replace(_learnt(told, labels), scale=scale)


def _scores(head: Head, told: Told) -> Floats:
    """By text that people would ask about, its title beside it, and label: how much speaks for it."""
    title_of = dict(zip(told.row[~told.asked], told.matrix[~told.asked], strict=True))
    asked = zip(told.row[told.asked], told.matrix[told.asked], strict=True)
    scores = [head.with_title(head.scores(*_entries(text)), *_entries(title_of.get(row, NONE))) for row, text in asked]
    return np.array(scores, np.float32)


def _entries(text: csr_matrix) -> tuple[NDArray[np.int64], Floats]:
    return text.indices.astype(np.int64), text.data


def _learnt(told: Told, labels: tuple[str, ...]) -> Head:
    telling = _telling(told.matrix, told.right, len(labels))
    weights, bias = _separate(told, telling)
    # as the file keeps them, so that a loaded model answers as this one does
    return Head(labels, weights.astype(np.float16).astype(np.float32), bias, _typical(told.only(told.asked), telling))


def _telling(matrix: csr_matrix, right: NDArray[np.int64], labels: int) -> Floats:
    """By label and term: how much oftener or rarer the term is with the label than with all others."""
    occurs = (matrix > 0).astype(np.float32)
    everywhere = np.asarray(occurs.sum(axis=0)).ravel()
    telling = np.zeros((labels, matrix.shape[1]), np.float32)
    for label in np.unique(right):
        within = np.asarray(occurs[right == label].sum(axis=0)).ravel() + 1
        without = everywhere - within + 2
        telling[label] = np.sqrt(np.abs(np.log(within / within.sum()) - np.log(without / without.sum())))
    return telling


def _separate(told: Told, telling: Floats) -> tuple[Floats, Floats]:
    """Weights by term and label, and a bias by label; a label that does not occur never wins.

    A machine for each family parts a label from all others: of one machine for all terms the rarest words would take
    the most. Before, each term is raised by how much it tells of the label.
    """
    labels, terms = telling.shape
    weights, bias = np.zeros((terms, labels), np.float32), np.full(labels, NEVER, np.float32)
    occurring = np.unique(told.right)
    bias[occurring] = 0
    for part, share in told.shares:
        own = told.matrix[:, part].tocsr()
        for label in occurring:
            raised = telling[label, part]
            machine = LinearSVC(C=STRICTNESS, random_state=0).fit(own @ diags(raised), told.right == label)
            weights[part, label] = share * machine.coef_[0] * raised
            bias[label] += share * machine.intercept_[0]
    return weights, bias


def _typical(told: Told, telling: Floats) -> Typical:
    """What the messages of each label that are alike have in common."""
    most = telling.max(axis=0)
    raised = normalize(told.matrix @ diags(most))
    centres = []
    for label in range(len(telling)):
        own = told.right == label
        centres.append(_centres(raised[own], len(np.unique(told.row[own])) // ALIKE))
    by_term = vstack(centres).tocsc()
    firsts = np.cumsum([0, *(one.shape[0] for one in centres)])
    kept = Typical(most, by_term.indptr, by_term.indices, by_term.data, firsts)
    return Typical.of(kept.arrays(), terms=len(most), labels=len(telling))  # as the file keeps it


def _centres(own: csr_matrix, wanted: int) -> csr_matrix:
    """About so many centres of the texts, by their strongest terms; one that is near nothing when there are none."""
    terms = own.shape[1]
    wanted = min(wanted, MOST_CENTRES, MOST_WEIGHTS // terms)
    if not own.shape[0]:
        found = np.zeros((1, terms), np.float32)
    elif wanted < 2:
        found = np.asarray(own.mean(axis=0))
    else:
        found = MiniBatchKMeans(wanted, n_init=1, batch_size=512, max_iter=15, random_state=0).fit(own).cluster_centers_
    if terms > STRONGEST:
        weakest = np.partition(found, -STRONGEST, axis=1)[:, -STRONGEST, None]
        found = np.where(found >= weakest, found, 0)
    return normalize(csr_matrix(found, dtype=np.float32))


def _scale(scores: Floats, right: NDArray[np.int64]) -> float:
    """What scores are multiplied by so that confidence is as high as a label is often right."""
    own = np.take_along_axis(scores, right[:, None], axis=1)[:, 0]
    meant = (1 - MISTAKEN) * own + MISTAKEN * scores.mean(axis=1)
    top = scores.max(axis=1)
    unlikely = [
        float(np.mean(np.log(np.exp((scores - top[:, None]) * scale).sum(axis=1)) + (top - meant) * scale))
        for scale in SCALES
    ]
    return float(SCALES[int(np.argmin(unlikely))])
