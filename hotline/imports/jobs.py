"""Imports under way: an uploaded file, what it would do, how far it has come.

Looking at a hundred thousand rows takes longer than a request may, so the page keeps the file and a worker does the
work. What is kept stands encrypted in files beside the other data and not in the database: while SQLite writes an
import, a row could tell nobody how far it is. Web processes and the import worker must see the same folder.

A file is written in one transaction, never in several: whatever stops it on the way, nothing of it is there. What can
be done before that transaction is done before it, so that it is short.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import structlog
from sqlalchemy.orm import Session

from hotline import audit, outbox
from hotline.accounts.models import User
from hotline.accounts.service import Actor, actor_of
from hotline.db import SessionFactory, UnreadableError, key_ring, reading
from hotline.errors import HotlineError, NotAllowedNow, NotFound
from hotline.imports import engine
from hotline.imports.engine import Outcome, Refused
from hotline.imports.files import Rows, again
from hotline.imports.parts import Kind

log = structlog.get_logger(__name__)

KEPT_FOR: Final = timedelta(days=1)
SILENT_FOR: Final = timedelta(seconds=45)
LONG_WAIT: Final = timedelta(seconds=15)
TOKEN: Final = re.compile(r"[0-9a-f]{32}")
TO_CHECK, CHECKING, CHECKED, TO_WRITE, WRITING, DONE, FAILED = (
    "to_check",
    "checking",
    "checked",
    "to_write",
    "writing",
    "done",
    "failed",
)
UNDER_WAY: Final = frozenset({TO_CHECK, CHECKING, TO_WRITE, WRITING})
TOPICS: Final = {TO_CHECK: "import.check", TO_WRITE: "import.write"}
REFUSED_SHOWN: Final = 200
BROKEN: Final = "系统出错了，没有改动任何数据。请把时间告诉管理员。"
GONE: Final = "没有这次导入，可能已过期，请重新上传"

Kinds = Mapping[str, Kind]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a job works with: the database, the time, and somebody to tell that it got on (user id)."""

    sessions: SessionFactory
    now: Callable[[], datetime]
    tell: Callable[[int], object]


@dataclass(frozen=True, slots=True)
class Job:
    """One uploaded file and its fate, as a folder keeps it."""

    folder: Path
    token: str

    @classmethod
    def start(
        cls,
        session: Session,
        folder: Path,
        *,
        kind: Kind,
        name: str,
        body: bytes,
        actor: Actor,
        now: datetime,
        given: Mapping[str, str] = {},
    ) -> Job:
        """Keep an uploaded file and ask for it to be looked at; ``given`` fills what its rows do not say. Raises
        ``Invalid`` when a glance tells that it cannot be read, ``NotAllowedNow`` while somebody imports the same kind.
        """
        kind.check(body, name)
        folder.mkdir(parents=True, exist_ok=True)
        job = cls(folder, secrets.token_hex(16))
        job.refuse_beside_another(kind.name, now)
        job._keep("file", body)
        about = {"kind": kind.name, "name": name, "user_id": actor.user_id, "given": dict(given)}
        job._keep_state(about | {"sheet": None, "sheets": []})
        job.ask(session, TO_CHECK, now=now)
        return job

    @classmethod
    def named(cls, folder: Path, token: str, actor: Actor | None = None) -> Job:
        """Return the job. Raises ``NotFound`` for one that is gone, or that is not this person's."""
        job = cls(folder, token)
        there = TOKEN.fullmatch(token) and job._path("state").exists()
        if there and (actor is None or job.state()["user_id"] == actor.user_id):
            return job
        raise NotFound(GONE)

    # ---- what is known

    def state(self) -> dict[str, Any]:
        """Return what it is about and how far it is (``done`` of ``total``)."""
        found: dict[str, Any] = json.loads(key_ring().decrypt(self._path("state").read_bytes()))
        if found["state"] in UNDER_WAY and (path := self._path("progress")).exists():
            found |= json.loads(path.read_bytes())
        return found

    def rows(self, kind: Kind, still_here: Callable[[], None]) -> Rows:
        """Return the rows of the file; what takes a while to unpack or to split is kept once it is done."""
        state = self.state()
        if self._path("rows").exists():
            rows = again(self._kept("rows"))
        else:
            body, sheet = self._kept("file"), state["sheet"]
            rows = kind.read(body, state["name"], sheet=sheet, liked=kind.title, still_here=still_here)
            if rows.sheet:
                self._keep("rows", rows.kept())
        return rows.giving(state.get("given", {}))

    def refused(self) -> bytes:
        """Return the sheet of refused rows. Raises ``NotFound`` when there is none."""
        if not self._path("refused").exists():
            raise NotFound("没有不能导入的行")
        return self._kept("refused")

    def take_codes(self) -> dict[str, str]:
        """Return the first-log-in codes, this once."""
        path = self._path("codes")
        codes: dict[str, str] = json.loads(self._kept("codes")) if path.exists() else {}
        path.unlink(missing_ok=True)
        return codes

    # ---- asking

    def ask(self, session: Session, state: str, *, now: datetime, **changes: Any) -> None:
        """Ask a worker to go on: to look (``TO_CHECK``) or to write (``TO_WRITE``)."""
        self._path("progress").unlink(missing_ok=True)
        self.put(state=state, at=now.isoformat(), done=0, total=0, **changes)
        outbox.add(session, TOPICS[state], now=now, token=self.token)

    def choose_sheet(self, session: Session, sheet: str, *, now: datetime) -> None:
        """Look at another sheet of the workbook. Raises ``NotAllowedNow`` once it is written."""
        self._must_be(CHECKED, FAILED)
        for what in ("rows", "refused"):
            self._path(what).unlink(missing_ok=True)
        self.ask(session, TO_CHECK, now=now, sheet=sheet)

    def confirm(self, session: Session, *, now: datetime) -> None:
        """Ask for the good rows to be written. Raises ``NotAllowedNow`` for a file that was, or beside another."""
        self._must_be(CHECKED)
        self.refuse_beside_another(self.state()["kind"], now)
        self.ask(session, TO_WRITE, now=now)

    def go_on(self, session: Session, *, now: datetime) -> None:
        """Ask again for what a worker was at when it was cut off. Raises ``NotAllowedNow`` while it works."""
        state = self.state()
        if not is_broken_off(state, now):
            raise NotAllowedNow("正在处理，请稍候")
        self.ask(session, TO_WRITE if state["state"] == WRITING else TO_CHECK, now=now)

    def _must_be(self, *states: str) -> None:
        if self.state()["state"] not in states:
            raise NotAllowedNow("这个文件已经导入过，或者还没有核对完")

    def refuse_beside_another(self, kind: str, now: datetime) -> None:
        """Raise ``NotAllowedNow`` while another file of the kind is looked at or written."""
        for job, state in every(self.folder):
            busy = state["state"] in UNDER_WAY and not is_broken_off(state, now)
            if busy and state["kind"] == kind and job.token != self.token:
                raise NotAllowedNow(
                    "同一种数据正在导入，请等它完成再来；您的文件没有改动任何数据", busy=state["user_id"]
                )

    # ---- keeping

    def put(self, **changes: Any) -> None:
        """Change the state."""
        state: dict[str, Any] = json.loads(key_ring().decrypt(self._path("state").read_bytes()))
        self._keep_state(state | changes)

    def progress(self, done: int, total: int, at: datetime) -> None:
        """Say how far it is; holds nothing of the file."""
        self._write("progress", json.dumps({"done": done, "total": total, "at": at.isoformat()}).encode())

    def keep_codes(self, codes: Mapping[str, str]) -> None:
        """Keep first-log-in codes until they are shown."""
        if codes:
            self._keep("codes", json.dumps(codes).encode())

    def keep_refused(self, kind: Kind, rows: Rows, refused: list[Refused]) -> None:
        """Keep the sheet of refused rows."""
        if refused:
            self._keep("refused", "".join(engine.refused_sheet(kind, rows, refused)).encode("utf-8-sig"))
        else:
            self._path("refused").unlink(missing_ok=True)

    def forget_file(self) -> None:
        """Remove what was uploaded; the answer stays for a day."""
        for what in ("file", "rows", "progress"):
            self._path(what).unlink(missing_ok=True)

    def _path(self, what: str) -> Path:
        return self.folder / f"{self.token}.{what}"

    def _kept(self, what: str) -> bytes:
        return key_ring().decrypt(self._path(what).read_bytes())

    def _keep(self, what: str, body: bytes) -> None:
        self._write(what, key_ring().encrypt(body))

    def _keep_state(self, state: Mapping[str, Any]) -> None:
        self._keep("state", json.dumps(state, ensure_ascii=False).encode())

    def _write(self, what: str, body: bytes) -> None:
        half = self._path(f"{what}.half")
        half.write_bytes(body)
        half.replace(self._path(what))


def folder(data_dir: Path) -> Path:
    """Return where the files are kept, under the folder every process of the hotline shares."""
    return data_dir / "imports"


def every(files: Path) -> Iterator[tuple[Job, dict[str, Any]]]:
    """Yield every job of the folder that can be read, with its state."""
    for path in files.glob("*.state"):
        job = Job(files, path.stem)
        try:
            yield job, job.state()
        except (FileNotFoundError, UnreadableError):
            continue  # swept meanwhile, or written under a key that is gone: nobody can go on with it


def forget(files: Path, *, before: datetime) -> int:
    """Remove everything last touched before that moment. Returns how many files went."""
    gone = 0
    for path in files.glob("*.*"):
        if path.stat().st_mtime < before.timestamp():
            path.unlink(missing_ok=True)
            gone += 1
    return gone


def is_broken_off(state: Mapping[str, Any], now: datetime) -> bool:
    """Whether nobody works on it any more though it is not finished."""
    return state["state"] in {CHECKING, WRITING} and now - datetime.fromisoformat(state["at"]) > SILENT_FOR


def waits_long(state: Mapping[str, Any], now: datetime) -> bool:
    """Whether no worker has taken it though it was asked for a while ago."""
    return state["state"] in {TO_CHECK, TO_WRITE} and now - datetime.fromisoformat(state["at"]) > LONG_WAIT


# ---- a worker's part


def look_at(job: Job, kinds: Kinds, around: Surroundings) -> None:
    """Find out what the file would do."""

    def work(kind: Kind, rows: Rows, progress: engine.Progress) -> dict[str, Any]:
        with reading(around.sessions) as session:
            found = engine.preview(session, kind, rows, progress=progress, user_id=job.state()["user_id"])
        job.keep_refused(kind, rows, found.refused)
        return {
            "state": CHECKED,
            "figures": _figures(found.new, found.changed, found.unchanged, found.refused),
            "samples": [asdict(change) for change in found.samples],
            **_told(found.refused),
        }

    _work(job, kinds, around, TO_CHECK, CHECKING, work)


def write(job: Job, kinds: Kinds, around: Surroundings) -> None:
    """Write the good rows, all or none."""
    if told := written(around.sessions, kinds, job):
        job.put(**told)  # it was cut off between the commit and saying so
        return

    def work(kind: Kind, rows: Rows, progress: engine.Progress) -> dict[str, Any]:
        with reading(around.sessions) as session:
            user = session.get(User, job.state()["user_id"])
            if user is None or not user.active:
                raise NotAllowedNow("导入的人已停用，没有写入")
            actor = actor_of(user)
        done = engine.run(
            around.sessions,
            kind,
            rows,
            actor=actor,
            now=around.now(),
            progress=progress,
            settle=lambda outcome: job.keep_codes(outcome.codes),
            token=job.token,
        )
        job.keep_refused(kind, rows, done.refused)
        return _done(done)

    _work(job, kinds, around, TO_WRITE, WRITING, work)
    if job.state()["state"] == DONE:
        job.forget_file()


def written(sessions: SessionFactory, kinds: Kinds, job: Job) -> dict[str, Any] | None:
    """Return the state of a file that was written though nobody could say so; None when it was not."""
    state = job.state()
    kind = kinds[state["kind"]]
    with reading(sessions) as session:
        for row in audit.of(session, kind.subject, state["name"][-64:]):
            if row.act == "import" and row.details.get("token") == job.token:
                figures = {name: row.details[name] for name in ("new", "changed", "unchanged", "refused")}
                return {"state": DONE, "figures": figures, "samples": []}
    return None


def _done(done: Outcome) -> dict[str, Any]:
    figures = _figures(done.new, done.changed, done.unchanged, done.refused)
    return {"state": DONE, "figures": figures, "samples": [], **_told(done.refused)}


def _figures(new: int, changed: int, unchanged: int, refused: list[Refused]) -> dict[str, int]:
    lines = len({one.line for one in refused})
    return {"new": new, "changed": changed, "unchanged": unchanged, "refused": lines}


def _told(refused: list[Refused]) -> dict[str, Any]:
    return {"refused": [asdict(one) for one in refused[:REFUSED_SHOWN]], "faults": len(refused)}


def _work(  # noqa: PLR0917
    job: Job,
    kinds: Kinds,
    around: Surroundings,
    asked: str,
    busy: str,
    work: Callable[[Kind, Rows, engine.Progress], dict[str, Any]],
) -> None:
    state = job.state()
    if state["state"] != asked:
        log.info("import_has_moved_on", state=state["state"])
        return
    kind, user_id = kinds[state["kind"]], state["user_id"]
    last = -1

    def progress(done: int, total: int) -> None:
        nonlocal last
        job.progress(done, total, around.now())
        if (part := 50 * done // (total or 1)) != last:
            last = part
            around.tell(user_id)

    try:
        job.put(state=busy, at=around.now().isoformat())
        around.tell(user_id)
        rows = job.rows(kind, lambda: progress(0, 0))
        job.put(sheet=rows.sheet or None, sheets=rows.sheets)
        told = work(kind, rows, progress)
        job.put(at=around.now().isoformat(), **told)
    except HotlineError as fault:
        job.put(state=FAILED, reason=fault.message)
    except Exception as fault:  # the last stop of a job: the person is told, the whole of it is logged
        log.error("import_failed", kind=kind.name, exc_info=fault)
        job.put(state=FAILED, reason=BROKEN)
    around.tell(user_id)
