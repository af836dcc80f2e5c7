"""Imports under way: an uploaded file, what it would do, how far it has come. Kept encrypted beside the other data.

A file may hold duty telephones, and looking at a hundred thousand rows takes longer than a request may: the work is
done by a thread of this process, and any process can tell how far it is.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import structlog

from hotline.accounts.service import Actor
from hotline.db import key_ring, session_scope
from hotline.errors import HotlineError, NotFound
from hotline.imports import KINDS, engine
from hotline.imports.engine import Refused
from hotline.imports.files import Rows, read

if TYPE_CHECKING:  # as in web.context
    from hotline.bootstrap import Runtime

log = structlog.get_logger(__name__)

KEPT_FOR: Final = timedelta(days=1)
SILENT_FOR: Final = timedelta(minutes=2)
TOKEN: Final = re.compile(r"[0-9a-f]{32}")
CHECKING, CHECKED, WRITING, DONE, FAILED = "checking", "checked", "writing", "done", "failed"
UNDER_WAY: Final = frozenset({CHECKING, WRITING})
BROKEN_OFF: Final = "处理中断了，没有改动任何数据，请重新上传。"
REFUSED_SHOWN: Final = 200


@dataclass(frozen=True, slots=True)
class Job:
    """One uploaded file and its fate, as a folder keeps it."""

    folder: Path
    token: str

    @classmethod
    def start(cls, folder: Path, *, kind: str, name: str, body: bytes, actor: Actor, now: datetime) -> Job:
        """Keep an uploaded file. Raises ``Invalid`` when it cannot be read at all."""
        rows = read(body, name, liked=KINDS[kind].title)
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder, now)
        job = cls(folder, secrets.token_hex(16))
        job._path("file").write_bytes(key_ring().encrypt(body))
        state = {"kind": kind, "name": name, "user_id": actor.user_id, "total": rows.count, "done": 0}
        job._write(state | {"state": CHECKING, "at": now.isoformat()})
        return job

    @classmethod
    def named(cls, folder: Path, token: str, actor: Actor) -> tuple[Job, dict[str, Any]]:
        """Return the job and its state. Raises ``NotFound`` for one that is gone or somebody else's."""
        job = cls(folder, token)
        if TOKEN.fullmatch(token) and job._path("state").exists():
            state = job.state()
            if state["user_id"] == actor.user_id:
                return job, state
        raise NotFound("没有这次导入，可能已过期，请重新上传")

    def state(self) -> dict[str, Any]:
        """Return how far it is."""
        found: dict[str, Any] = json.loads(key_ring().decrypt(self._path("state").read_bytes()))
        return found

    def rows(self, name: str) -> Rows:
        """Return the rows of the file."""
        return read(key_ring().decrypt(self._path("file").read_bytes()), name, liked=KINDS[self.state()["kind"]].title)

    def put(self, **changes: Any) -> None:
        """Change the state."""
        self._write(self.state() | changes)

    def take_codes(self) -> dict[str, str]:
        """Return the first-log-in codes, this once."""
        state = self.state()
        codes: dict[str, str] = state.pop("codes", {})
        if codes:
            self._write(state)
        return codes

    def _path(self, what: str) -> Path:
        return self.folder / f"{self.token}.{what}"

    def _write(self, state: Mapping[str, Any]) -> None:
        half = self._path("half")
        half.write_bytes(key_ring().encrypt(json.dumps(state, ensure_ascii=False).encode()))
        half.replace(self._path("state"))


def _sweep(folder: Path, now: datetime) -> None:
    for path in folder.iterdir():
        if path.stat().st_mtime < (now - KEPT_FOR).timestamp():
            path.unlink(missing_ok=True)


def is_broken_off(state: Mapping[str, Any], now: datetime) -> bool:
    """Whether nobody works on it any more though it is not finished."""
    return state["state"] in UNDER_WAY and now - datetime.fromisoformat(state["at"]) > SILENT_FOR


def check(runtime: Runtime, job: Job) -> threading.Thread:
    """Find out in the background what the file would do."""

    def work(rows: Rows, progress: engine.Progress) -> dict[str, Any]:
        with session_scope(runtime.sessions) as session:
            found = engine.preview(session, KINDS[job.state()["kind"]], rows, progress=progress)
        return {
            "state": CHECKED,
            "figures": _figures(found.new, found.changed, found.unchanged, found.refused),
            "samples": [asdict(change) for change in found.samples],
            "refused": [asdict(one) for one in found.refused],
        }

    return _in_background(runtime, job, work)


def write(runtime: Runtime, job: Job, actor: Actor) -> threading.Thread:
    """Write the good rows in the background."""

    def work(rows: Rows, progress: engine.Progress) -> dict[str, Any]:
        kind = KINDS[job.state()["kind"]]
        done = engine.run(runtime.sessions, kind, rows, actor=actor, now=runtime.now(), progress=progress)
        return {
            "state": DONE,
            "figures": _figures(done.new, done.changed, done.unchanged, done.refused),
            "refused": [asdict(one) for one in done.refused],
            "codes": done.codes,
            "samples": [],
        }

    return _in_background(runtime, job, work)


def _figures(new: int, changed: int, unchanged: int, refused: list[Refused]) -> dict[str, int]:
    lines = len({one.line for one in refused})
    return {"new": new, "changed": changed, "unchanged": unchanged, "refused": lines}


def _in_background(
    runtime: Runtime, job: Job, work: Callable[[Rows, engine.Progress], dict[str, Any]]
) -> threading.Thread:
    def go_on() -> None:
        def progress(done: int, total: int) -> None:
            job.put(done=done, total=total, at=runtime.now().isoformat())

        try:
            job.put(**work(job.rows(job.state()["name"]), progress))
        except HotlineError as fault:
            job.put(state=FAILED, reason=fault.message)
        except Exception as fault:  # the last stop of a thread: the person is told, the whole of it is logged
            log.error("import_failed", kind=job.state()["kind"], exc_info=fault)
            job.put(state=FAILED, reason="系统出错了，没有改动任何数据。请把时间告诉管理员。")

    thread = threading.Thread(target=go_on, name=f"import-{job.token[:8]}", daemon=True)
    thread.start()
    return thread
