"""How long a city's file takes: looked at, written, and how long others wait for the database meanwhile.

``python -m bench.imports --rows 100000 --wrong 3000`` on SQLite; ``--url postgresql://…`` (an empty database) on
PostgreSQL; ``--xlsx`` from a workbook.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from sqlalchemy import event, text

import hotline.bootstrap
import hotline.web.idempotency  # noqa: F401 - its table
from hotline.accounts.service import SYSTEM
from hotline.db import Base, KeyRing, SessionFactory, make_engine, make_sessions, reading, session_scope, use_key_ring
from hotline.imports import KINDS, preview, read, run, workbook
from hotline.units.service import add_unit

HEAD: Final = ["地名", "类型", "所属县区", "别名"]
GAP_S: Final = 0.05


def table(rows: int, wrong: int) -> Iterator[list[str]]:
    """Yield the cells of roads, of which some are rivers, which nobody may bring."""
    every = rows // wrong if wrong else rows + 1
    for number in range(rows):
        bad = number % every == every // 2 and number // every < wrong
        yield [f"第{number}号路", "河流" if bad else "道路", "131103", ""]


def body(rows: int, wrong: int, *, xlsx: bool) -> bytes:
    """Return the file."""
    if xlsx:
        return workbook.write("地名", HEAD, table(rows, wrong))
    return "\n".join(",".join(row) for row in (HEAD, *table(rows, wrong))).encode()


class Others(threading.Thread):
    """Somebody else who writes a little all the time, and remembers the longest wait."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self._engine = make_engine(url)
        if self._engine.dialect.name == "sqlite":  # wait however long it takes, to tell how long that is
            event.listen(self._engine, "connect", lambda one, _entry: one.execute("PRAGMA busy_timeout=600000"))
        self.over = threading.Event()
        self.longest = 0.0

    def run(self) -> None:
        """Write until it is over."""
        while not self.over.is_set():
            began = monotonic()
            with self._engine.begin() as connection:
                connection.execute(text("UPDATE units SET name = name WHERE code = 'HS'"))
            self.longest = max(self.longest, monotonic() - began)
            sleep(GAP_S)


@contextmanager
def timed(what: str, url: str) -> Iterator[None]:
    """Print how long it took and how long others waited at most."""
    others = Others(url)
    others.start()
    began = monotonic()
    yield
    took = monotonic() - began
    others.over.set()
    others.join()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{what:<10} {took:6.1f} s   others waited at most {others.longest:5.2f} s   peak {peak} MB")


def prepare(url: str) -> SessionFactory:
    """Make the tables and a county."""
    engine = make_engine(url)
    Base.metadata.create_all(engine)
    sessions = make_sessions(engine)
    with session_scope(sessions) as session:
        hub = add_unit(session, code="HS", name="热线中心", parent=None, kind="hub")
        add_unit(session, code="HS-JZ", name="冀州区", parent=hub, area_code="131103")
    return sessions


def main() -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--wrong", type=int, default=3_000)
    parser.add_argument("--xlsx", action="store_true")
    parser.add_argument("--url")
    options = parser.parse_args()
    use_key_ring(KeyRing((("bench", os.urandom(32)),)))
    with tempfile.TemporaryDirectory() as folder:
        url = options.url or f"sqlite:///{Path(folder) / 'bench.db'}"
        sessions = prepare(url)
        kind = KINDS["gazetteer"]
        sent = body(options.rows, options.wrong, xlsx=options.xlsx)
        name = "rows.xlsx" if options.xlsx else "rows.csv"
        with timed("read", url):
            rows = read(sent, name)
        with timed("look at", url), reading(sessions) as session:
            seen = preview(session, kind, rows)
        with timed("write", url):
            done = run(sessions, kind, rows, actor=SYSTEM, now=datetime.now(UTC))
        print(f"{len(sent) / 1e6:.1f} MB: {seen.new} new, {len(seen.refused)} refused; written {done.new}")


if __name__ == "__main__":
    main()
