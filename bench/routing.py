"""How often the category of a message is proposed rightly, and how fast.

    python -m bench.routing --train T.jsonl --test X.jsonl

Rows are ``{id, title, text, label}``. The model is trained on the first file alone and asked about the second: the
way a nightly training does it, but with nothing held out. ``accuracy``, ``macro_f1`` (over the labels that occur) and
``top2`` from 0 to 1, of rows as they are given; ``heard`` is how many of them were taken for transcripts, and
``heard_without_title`` the figures of these when nothing but their text is used: on the telephone nobody says a title.
``ms_p50`` and ``ms_p99`` of one proposal in one thread, reasons included. ``calibration``: of the proposals with such
a confidence, the share that was right.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import json
import os
import statistics
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from bench.kb import quantile, read, resident_mb
from hotline.clock import utc_now
from hotline.routing.features import Form, form_of
from hotline.routing.model import Model, Proposal, Question
from hotline.routing.training import Figures, Row, figures, train


def row(read_from: dict[str, Any]) -> Row:
    """Return a line of a file as what is learnt from."""
    return Row(read_from["id"], read_from.get("title", ""), read_from["text"], {Question.CATEGORY: read_from["label"]})


def asked(model: Model, rows: Sequence[Row]) -> tuple[list[Proposal | None], list[float]]:
    """Return what is proposed for each row, and the milliseconds it took."""
    proposals, took = [], []
    for one in rows:
        began = time.perf_counter()
        proposals.append(model.propose(Question.CATEGORY, title=one.title, text=one.text))
        took.append((time.perf_counter() - began) * 1000)
    return proposals, took


def judged(rows: Sequence[Row], proposals: Sequence[Proposal | None]) -> Figures:
    """Return the figures of proposals for rows."""
    return figures(
        [
            (one.labels[Question.CATEGORY], [candidate.label for candidate in proposal.candidates] if proposal else [])
            for one, proposal in zip(rows, proposals, strict=True)
        ]
    )


def calibration(rows: Sequence[Row], proposals: Sequence[Proposal | None]) -> list[dict[str, float]]:
    """Return, by tenths of confidence, how many proposals had it, its mean, and the share that was right."""
    tenths = defaultdict(list)
    for one, proposal in zip(rows, proposals, strict=True):
        if proposal:
            first = proposal.candidates[0]
            tenths[min(9, int(first.confidence * 10))].append(
                (first.confidence, first.label == one.labels[Question.CATEGORY])
            )
    return [
        {
            "rows": len(found),
            "confidence": round(statistics.fmean(sure for sure, _ in found), 3),
            "right": round(statistics.fmean(right for _, right in found), 3),
        }
        for _, found in sorted(tenths.items())
    ]


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    options = parser.parse_args()
    learnt, test = [row(line) for line in read(options.train)], [row(line) for line in read(options.test)]
    load, before, began = os.getloadavg(), resident_mb(), time.perf_counter()
    data = train(learnt, now=utc_now()).dump()
    train_s = time.perf_counter() - began
    model = Model.load(data)  # as every process gets it
    proposals, took = asked(model, test)
    whole = judged(test, proposals)
    heard = [replace(one, title="") for one in test if form_of(one.text) == Form.HEARD]
    untitled = judged(heard, asked(model, heard)[0]) if heard else None
    packages = ("scikit-learn", "scipy", "numpy", "rjieba", "pypinyin")
    print(
        json.dumps(
            {
                **{name: round(value, 4) for name, value in asdict(whole).items() if name != "rows"},
                "ms_p50": quantile(took, 0.5),
                "ms_p99": quantile(took, 0.99),
                "heard": len(heard),
                "heard_without_title": untitled and asdict(untitled),
                "train_rows": len(learnt),
                "test_rows": len(test),
                "in_both": len({one.key for one in learnt} & {one.key for one in test}),
                "train_s": round(train_s, 1),
                "model_mb": round(len(data) / 1e6, 1),
                "grown_mb": round(resident_mb() - before, 1),
                "asks": round(statistics.fmean(proposal is None or proposal.asks for proposal in proposals), 3),
                "calibration": calibration(test, proposals),
                "data_sha256": {
                    name: hashlib.sha256(path.read_bytes()).hexdigest()
                    for name, path in (("train", options.train), ("test", options.test))
                },
                "versions": {"python": sys.version.split()[0]}
                | {name: importlib.metadata.version(name) for name in packages},
                "load_average": [round(value, 2) for value in (*load, *os.getloadavg())],
            },
            ensure_ascii=False,
        )
    )


if __name__ == "__main__":
    main()
