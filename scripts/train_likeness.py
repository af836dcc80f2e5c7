"""Learn the weights of the search from judged questions and write ``hotline/knowledge_base/search/weights.json``.

    python -m scripts.train_likeness DATA [--check]

DATA holds ``kb/entries_100k.jsonl``, ``kb/queries_dev_*.jsonl`` and ``citizen/messages_dev.jsonl``. Every question is
asked of pools of several sizes, as it was written, as recognisers garble it, and in the midst of a story cut from
citizens' messages; once with its entry in the pool and once without. ``--check`` prints figures by cross-validation
(five parts, by question) and writes nothing. Takes about a quarter of an hour; the same data give the same file.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from hotline.knowledge_base.language.tokens import Said, has_matter, normalise, signs_of
from hotline.knowledge_base.search.candidates import Candidates
from hotline.knowledge_base.search.index import COMPARED, SMALL, looked_through
from hotline.knowledge_base.search.likeness import NAMES, Group, Query, likeness
from hotline.knowledge_base.search.shelf import Counts, Row, Shelf
from hotline.knowledge_base.search.weighing import WEIGHTS, Weights, standing

KINDS: Final = ("clean", "hard20", "hard25", "asr25")
ASKED: Final = {"clean": 2_000, "hard20": 2_000, "hard25": 1_000, "asr25": 1_000}  # of all entries
ABSENT: Final = {"clean": "absent", "hard20": "absent_hard20"}
WIDTH: Final = 16
DECAY: Final = 0.3
ROUNDS: Final = 12
RATE: Final = 3e-3
BATCH: Final = 128
PARTS: Final = 4
# (entries in a pool, questions asked of each such pool, pools, share of them told in a story)
POOLS: Final = (
    (12, 8, 50, 0.5),
    (60, 40, 15, 0.5),
    (1_000, 500, 1, 0.5),
    (10_000, 1_000, 1, 0.4),
    (100_000, 800, 1, 1.0),
)
WHOLE: Final = 0.6  # share of questions told to their end; the others only in part, where few entries compete:
FEW: Final = 1_000
TOLD: Final = (4, 50)  # signs of a story before and after the question

Array = NDArray[np.float32]


@dataclass(slots=True)
class Asked:
    """Questions with their candidates: features (padded), which candidates are right, which there are, and the part
    of the cross-validation each question belongs to (-1: none)."""

    features: Array
    right: NDArray[np.bool_]
    there: NDArray[np.bool_]
    part: NDArray[np.int64]

    @classmethod
    def of(cls, rows: Sequence[tuple[Array, NDArray[np.bool_], int]]) -> Asked:
        features = np.zeros((len(rows), COMPARED, len(NAMES)), np.float32)
        right = np.zeros((len(rows), COMPARED), bool)
        there = np.zeros((len(rows), COMPARED), bool)
        for number, (one, good, _) in enumerate(rows):
            features[number, : len(one)], right[number, : len(one)], there[number, : len(one)] = one, good, True
        return cls(features, right, there, np.array([part for *_, part in rows], np.int64))

    @classmethod
    def joined(cls, several: Sequence[Asked]) -> Asked:
        """Put the questions of several behind each other."""
        names = ("features", "right", "there", "part")
        return cls(*(np.concatenate([getattr(one, name) for one in several]) for name in names))

    def taken(self, which: NDArray[Any]) -> Asked:
        """Return some of the questions."""
        return Asked(self.features[which], self.right[which], self.there[which], self.part[which])

    def without_right(self) -> Asked:
        """Return the same questions with the right entries taken out of what was found."""
        rows = []
        for one, right, there, part in zip(self.features, self.right, self.there, self.part, strict=True):
            left = one[there & ~right].copy()
            if len(left):
                left[:, 0] /= max(left[:, 0].max(), 1e-6)  # overlap_of_best
            rows.append((left, np.zeros(len(left), bool), int(part)))
        return Asked.of(rows)


class Pool:
    """Some entries to be asked of."""

    def __init__(self, entries: Sequence[tuple[str, str]]) -> None:
        rows = [Row(place, code, text, "", None, None, (text,)) for place, (code, text) in enumerate(entries)]
        self._shelf = Shelf.of(rows)
        self._counts = Counts.none().changed(self._shelf, None, 1)
        self._candidates = Candidates.of(self._shelf) if len(self._shelf.owners) > SMALL else None
        self._places = {code: place for place, (code, _) in enumerate(entries)}

    def ask(self, text: str, relevant: Iterable[str], part: int) -> tuple[Array, NDArray[np.bool_], int]:
        """Return the features of what is found for a text, and which of it is right."""
        plain = normalise(text)
        query = Query(Said.of(signs_of(plain)), self._counts)
        if not has_matter(plain):
            found = np.zeros(0, np.int64)
        elif self._candidates is None:
            found = looked_through(query, self._shelf, np.arange(len(self._shelf)))
        else:
            found = self._candidates.best(query.said, self._counts, COMPARED)
        if not len(found):
            return np.zeros((0, len(NAMES)), np.float32), np.zeros(0, bool), part
        right = [self._places[code] for code in relevant if code in self._places]
        rows = likeness(query, Group.of([(self._shelf, found)]))
        return rows, np.isin(self._shelf.owners[found], right), part


class Stories:
    """Pieces of messages to put around a question."""

    def __init__(self, messages: Sequence[str], rng: np.random.Generator) -> None:
        self._messages = [text for text in messages if len(text) > 2 * TOLD[1]]
        self._rng = rng

    def piece(self) -> str:
        """Return some signs from the midst of a message."""
        text = self._messages[self._rng.integers(len(self._messages))]
        length = int(self._rng.integers(*TOLD))
        start = int(self._rng.integers(len(text) - length))
        return text[start : start + length]

    def part_of(self, question: str) -> str:
        """Return a piece of a question, a third of it at least."""
        length = int(self._rng.integers(max(3, len(question) // 3), len(question) + 4))
        start = int(self._rng.integers(max(1, len(question) - length + 1)))
        return question[start : start + length]

    def around(self, question: str) -> str:
        """Return a question told with something before it, behind it or both."""
        where = self._rng.integers(3)
        return (self.piece() if where != 1 else "") + question + (self.piece() if where != 0 else "")


def learn(asked: Asked, seed: int = 0) -> Weights:
    """Learn the net: which candidate is right, or that none is (listwise softmax, Adam)."""
    rng = np.random.default_rng(seed)
    seen = asked.features[asked.there]
    mean, scale = seen.mean(axis=0), 1 / (seen.std(axis=0) + 1e-6)
    count = len(NAMES)
    hidden, out = rng.normal(0, 0.2, (count, WIDTH)), rng.normal(0, 0.2, WIDTH)
    learned = [one.astype(np.float32) for one in (hidden, np.zeros(WIDTH), out, np.array(-3.0), np.zeros(count))]
    first, second = [np.zeros_like(one) for one in learned], [np.zeros_like(one) for one in learned]
    step = 0
    for turn in range(ROUNDS):
        rate = RATE * (1 - turn / ROUNDS) + 1e-4
        order = rng.permutation(len(asked.features))
        for start in range(0, len(order), BATCH):
            some = asked.taken(order[start : start + BATCH])
            step += 1
            for place, slope in enumerate(_slopes(learned, some, mean, scale)):
                first[place] = 0.9 * first[place] + 0.1 * slope
                second[place] = 0.999 * second[place] + 0.001 * slope * slope
                upward = first[place] / (1 - 0.9**step)
                learned[place] = learned[place] - rate * upward / (np.sqrt(second[place] / (1 - 0.999**step)) + 1e-8)
                if place in (0, 2, 4):
                    learned[place] = learned[place] * (1 - rate * DECAY)
    hidden, hidden_bias, out, bias, direct = learned
    nothing = np.zeros(1, np.float32)
    numbers = (mean, scale, hidden, hidden_bias, out, float(bias), direct)
    return Weights(*(one.astype(np.float32) if isinstance(one, np.ndarray) else one for one in numbers), nothing, 0.0)


def _slopes(learned: Sequence[Any], some: Asked, mean: Array, scale: Array) -> list[Any]:
    hidden, hidden_bias, out, bias, direct = learned
    rows = (some.features - mean) * scale * some.there[..., None]
    inner = np.tanh(rows @ hidden + hidden_bias)
    scores = np.where(some.there, inner @ out + bias + rows @ direct, -60.0)
    highest = np.maximum(scores.max(axis=1), 0)  # 'none fits' scores nought
    odds = np.exp(scores - highest[:, None]) * some.there
    given = odds / (odds.sum(axis=1) + np.exp(-highest))[:, None]
    good = (odds * some.right).sum(axis=1)
    wanted = odds * some.right / np.maximum(good, 1e-30)[:, None]
    slope = (given - wanted) / len(scores)
    back = slope[..., None] * out * (1 - inner * inner)
    flat = rows.reshape(-1, rows.shape[-1])
    return [
        flat.T @ back.reshape(-1, back.shape[-1]),
        back.sum(axis=(0, 1)),
        np.einsum("bk,bkh->h", slope, inner),
        slope.sum(),
        slope.reshape(-1) @ flat,
    ]


def scored(weights: Weights, asked: Asked) -> tuple[Array, NDArray[np.bool_], Array]:
    """Return scores best first, which are right, and what sureness is judged by."""
    scores = np.where(asked.there, weights.scores(weights.scaled(asked.features)), -60).astype(np.float32)
    order = np.argsort(-scores, axis=1, kind="stable")
    scores, right = np.take_along_axis(scores, order, 1), np.take_along_axis(asked.right, order, 1)
    top = weights.scaled(asked.features[np.arange(len(order)), order[:, 0]])
    count = asked.there.sum(axis=1)
    told = [standing(row[: max(many, 1)], best) for row, many, best in zip(scores, count, top, strict=True)]
    return scores, right, np.array(told, np.float32)


def learn_sureness(told: Array, fits: NDArray[np.bool_], *, ridge: float = 3e-3) -> tuple[Array, float]:
    """Learn a logistic regression by Newton's steps; returns weights and bias for features as they are."""
    mean, spread = told.mean(axis=0), told.std(axis=0) + 1e-6
    rows = np.append((told - mean) / spread, np.ones((len(told), 1)), axis=1).astype(np.float64)
    keep = np.append(np.full(told.shape[1], ridge * len(told)), 0)
    found = np.zeros(rows.shape[1])
    for _ in range(20):
        given = 1 / (1 + np.exp(-np.clip(rows @ found, -30, 30)))
        slope = rows.T @ (given - fits) + keep * found
        found -= np.linalg.solve((rows * (given * (1 - given))[:, None]).T @ rows + np.diag(keep + 1e-9), slope)
    weights = (found[:-1] / spread).astype(np.float32)
    return weights, float(found[-1] - weights @ mean)


def gather(data: Path) -> tuple[dict[str, Asked], Asked, dict[str, Asked]]:
    """Return the questions asked of all entries by kind, those asked of smaller pools and in stories, and those that
    have no entry."""
    rng = np.random.default_rng(4)
    entries = [(row["id"], row["question"]) for row in _read(data / "kb" / "entries_100k.jsonl")]
    questions = {kind: _read(data / "kb" / f"queries_dev_{kind}.jsonl") for kind in KINDS}
    part = rng.integers(0, PARTS, len(questions["clean"]))
    stories = Stories([row["text"] for row in _read(data / "citizen" / "messages_dev.jsonl")], rng)
    others: list[tuple[Array, NDArray[np.bool_], int]] = []
    for size, asked, pools, told in POOLS:
        for _ in range(pools):
            chosen = rng.permutation(len(part))[:asked]
            needed = {code for number in chosen for code in questions["clean"][number]["relevant"]}
            fill = [entries[number] for number in rng.permutation(len(entries))[: max(0, size - len(needed))]]
            pool = Pool(
                entries
                if size >= len(entries)
                else [one for one in entries if one[0] in needed] + [one for one in fill if one[0] not in needed]
            )
            if size >= len(entries):
                whole = pool
            for number in chosen:
                row = questions[KINDS[rng.integers(len(KINDS))]][number]
                in_story = rng.random() < told
                told_text = row["query"] if rng.random() < WHOLE or size > FEW else stories.part_of(row["query"])
                text = stories.around(told_text) if in_story else told_text
                others.append(pool.ask(text, row["relevant"], int(part[number])))
            others += [
                pool.ask(stories.piece() + stories.piece(), (), int(rng.integers(PARTS)))
                for _ in range(max(2, asked // 10))
            ]
        sys.stderr.write(f"asked of {size}\n")
    by_kind = {
        kind: Asked.of([whole.ask(rows[at]["query"], rows[at]["relevant"], int(part[at])) for at in range(ASKED[kind])])
        for kind, rows in questions.items()
    }
    absent = {
        kind: Asked.of([whole.ask(row["query"], (), -1) for row in _read(data / "kb" / f"queries_dev_{name}.jsonl")])
        for kind, name in ABSENT.items()
    }
    return by_kind, Asked.of(others), absent


def train(asked: Asked) -> Weights:
    """Learn everything: the net from all, sureness from nets that have not seen the question."""
    gone = asked.without_right()
    both = Asked.joined([asked, gone])
    parts = []
    for part in np.unique(asked.part).tolist():
        net = learn(both.taken(both.part != part), seed=part)
        for some in (asked, gone):
            _, right, told = scored(net, some.taken(some.part == part))
            parts.append((told, right[:, :5].any(axis=1)))
    sure, bias = learn_sureness(np.concatenate([told for told, _ in parts]), np.concatenate([fit for _, fit in parts]))
    return replace(learn(both), sure=sure, sure_bias=bias)


def check(by_kind: dict[str, Asked], others: Asked, absent: dict[str, Asked]) -> dict[str, Any]:
    """Return figures on questions that no weights have seen: recall and, where 90 % are answered, false suggestions."""
    everything = Asked.joined([*by_kind.values(), others])
    figures: dict[str, Any] = {}
    held: dict[str, list[tuple[NDArray[np.bool_], Array]]] = {}
    empty: dict[str, list[Array]] = {}
    for part in range(PARTS):
        net = train(everything.taken(everything.part != part))
        for name, some in {**by_kind, "others": others}.items():
            _, right, told = scored(net, some.taken(some.part == part))
            held.setdefault(name, []).append((right, told @ net.sure + net.sure_bias))
        for name, some in absent.items():
            empty.setdefault(name, []).append(scored(net, some)[2] @ net.sure + net.sure_bias)
    for name, rows in held.items():
        right, sure = np.concatenate([row[0] for row in rows]), np.concatenate([row[1] for row in rows])
        answered = right[:, :5].any(axis=1)
        figures[name] = {"recall_at_1": right[:, 0].mean() * 100, "recall_at_5": answered.mean() * 100}
        if name in empty:
            least = np.sort(np.where(answered, sure, -np.inf))[int(len(sure) * 0.1)]
            figures[name]["false"] = np.mean([(one >= least).mean() for one in empty[name]]) * 100
            figures[name]["threshold"] = 1 / (1 + np.exp(-least))
    return figures


def _read(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def _save(path: Path, by_kind: dict[str, Asked], others: Asked, absent: dict[str, Asked]) -> None:
    several = {**by_kind, "others": others, **{f"absent_{name}": one for name, one in absent.items()}}
    with path.open("wb") as file:
        np.savez(
            file, **{f"{name}/{part}": value for name, one in several.items() for part, value in asdict(one).items()}
        )


def _load(path: Path) -> tuple[dict[str, Asked], Asked, dict[str, Asked]]:
    with np.load(path) as file:
        names = dict.fromkeys(key.partition("/")[0] for key in file.files)
        several = {name: Asked(*(file[f"{name}/{part.name}"] for part in fields(Asked))) for name in names}
    absent = {name.removeprefix("absent_"): several.pop(name) for name in names if name.startswith("absent_")}
    others = several.pop("others")
    return several, others, absent


def _plain(value: Any) -> Any:
    return np.round(value.astype(float), 5).tolist() if isinstance(value, np.ndarray) else round(float(value), 5)


def main() -> None:
    """Train and write, or check."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--gathered", type=Path, help="keep what was asked in this file, or take it from there")
    options = parser.parse_args()
    if options.gathered and options.gathered.exists():
        by_kind, others, absent = _load(options.gathered)
    else:
        by_kind, others, absent = gather(options.data)
        if options.gathered:
            _save(options.gathered, by_kind, others, absent)
    if options.check:
        sys.stdout.write(json.dumps(check(by_kind, others, absent), indent=1, default=float) + "\n")
        return
    weights = train(Asked.joined([*by_kind.values(), others]))
    told = {"features": NAMES, **{name: _plain(value) for name, value in asdict(weights).items()}}
    WEIGHTS.write_text(json.dumps(told) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
