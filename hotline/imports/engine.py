"""One way for every kind: look at the whole file, say what would change and what is refused, then write it at once."""

from __future__ import annotations

import csv
import io
import os
import pickle
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sqlalchemy.orm import Session

from hotline import audit
from hotline.accounts.service import Actor
from hotline.callers.numbers import mask
from hotline.db import SessionFactory, reading, session_scope
from hotline.errors import Invalid
from hotline.imports.files import BROKEN, EXTRA, Rows, guarded
from hotline.imports.parts import Fault, Kind, Masked, Table, Todo, Values, Writing, WrongValue, shown

Progress = Callable[[int, int], None]
AT_ONCE: Final = 500
SAMPLES: Final = 50


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that is not taken. ``column`` is the Chinese title, empty when the row as a whole is wrong."""

    line: int
    column: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Change:
    """What a row would do: ``before`` is None for a new one; both hold only what differs, by Chinese title."""

    line: int
    key: str
    before: dict[str, str] | None
    after: dict[str, str]


@dataclass(slots=True)
class Preview:
    """What a file would do. ``samples`` are its first ``SAMPLES`` changes."""

    new: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: list[Refused] = field(default_factory=list)
    samples: list[Change] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a file did. ``codes`` are first-log-in codes by user name: shown once, kept nowhere."""

    new: int
    changed: int
    unchanged: int
    refused: list[Refused]
    codes: dict[str, str]


def no_progress(_done: int, _total: int) -> None:
    """Tell nobody."""


def preview(
    session: Session, kind: Kind, rows: Rows, *, progress: Progress = no_progress, user_id: int | None = None
) -> Preview:
    """Return what ``run`` would do; writes nothing. Raises ``Invalid`` when the headings are not those of the kind."""
    return _look(_begin(kind, session, user_id), kind, rows, progress, lambda _table, _todo: None)


def _begin(kind: Kind, session: Session, user_id: int | None) -> Table:
    table = kind.begin(session)
    table.user_id = user_id
    return table


def _look(
    table: Table, kind: Kind, rows: Rows, progress: Progress, keep: Callable[[Table, list[Todo]], None]
) -> Preview:
    """Look at every row in the order in which they can be written; ``keep`` is handed what is to be written."""
    keys = _keys_of(kind, rows)
    found = Preview()
    surveyed = table.survey((line, values) for line, values, faults in _parsed(kind, rows, keys) if not faults)
    known: dict[str, int] = {}
    counter = _Counter(progress, rows.count * table.turns)
    for turn in range(1, table.turns + 1):
        for chunk in _batched(counter.over(_parsed(kind, rows, keys))):
            mine = []
            for line, values, faults in chunk:
                if faults:
                    if turn == 1:
                        found.refused += [_refused(kind, line, values, fault) for fault in faults]
                elif table.turn(values) == turn:
                    mine.append((line, table.resolved(values)))
            present = table.present([values for _, values in mine])
            todo: list[Todo] = []
            for line, values in mine:
                key = table.key(values)
                before = present.get(key)
                whole = _whole(kind, values, before)
                wrong = list(_wrong(table, whole, before, line, surveyed, known))
                if wrong:
                    table.refused(whole, line)
                    found.refused += [_refused(kind, line, values, fault) for fault in wrong]
                    continue
                known[key] = line
                table.taken(whole, line)
                _note(kind, found, line, table.name(whole), whole, before)
                if whole != before:
                    todo.append((whole, before))
            if todo:
                keep(table, todo)
    found.refused.sort(key=lambda refused: refused.line)
    return found


@dataclass(slots=True)
class _Plan:
    """What is to be written, worked out and packed by batches, and what the city's data were when it was made."""

    mark: int
    seen: Preview = field(default_factory=Preview)
    batches: list[bytes] = field(default_factory=list)
    retires: bool = False  # whether something goes out of use: only the moment of writing knows if it is still free

    @classmethod
    def of(cls, table: Table, kind: Kind, rows: Rows, progress: Progress) -> _Plan:
        plan = cls(table.mark())
        plan.seen = _look(table, kind, rows, progress, plan._keep)
        return plan

    def _keep(self, table: Table, todo: list[Todo]) -> None:
        self.retires |= any(before and before.get("active") and not values["active"] for values, before in todo)
        self.batches.append(pickle.dumps(table.prepare(todo)))  # a tenth of what the objects take


def run(
    sessions: SessionFactory,
    kind: Kind,
    rows: Rows,
    *,
    actor: Actor,
    now: datetime,
    progress: Progress = no_progress,
    settle: Callable[[Outcome], None] = lambda _outcome: None,
    token: str = "",
) -> Outcome:
    """Write every good row in one transaction and return what was done and which rows were refused, and why.

    The file is looked through before that transaction, which therefore is short; only if somebody changed the city's
    data meanwhile it is looked through again inside. A fault on the way leaves the database as it was. Every change
    leaves its audit row, and the import one more with ``token``. ``settle`` is called just before the commit.
    """

    def half(done: int, total: int) -> None:
        progress(done, 2 * total)

    with reading(sessions) as session:
        plan = _Plan.of(_begin(kind, session, actor.user_id), kind, rows, half)
    with session_scope(sessions) as session:
        table = _begin(kind, session, actor.user_id)
        if plan.retires or table.mark() != plan.mark:
            plan = _Plan.of(_begin(kind, session, actor.user_id), kind, rows, half)
        writing = Writing(session, actor, now)
        total = rows.count * table.turns
        for number, packed in enumerate(plan.batches, start=1):
            _write(table, pickle.loads(packed), writing)  # noqa: S301 - packed above, in this process
            progress(total + total * number // len(plan.batches), 2 * total)
        seen = plan.seen
        refused = len({one.line for one in seen.refused})
        audit.record(
            session,
            at=now,
            user_id=actor.user_id,
            act="import",
            subject=kind.subject,
            subject_id=rows.name[-64:],
            new=seen.new,
            changed=seen.changed,
            unchanged=seen.unchanged,
            refused=refused,
            token=token,
        )
        outcome = Outcome(seen.new, seen.changed, seen.unchanged, seen.refused, writing.codes)
        settle(outcome)
    return outcome


def _write(table: Table, ready: Sequence[Any], writing: Writing) -> None:
    with writing.session.no_autoflush:  # a key stands once in the file: what is not flushed yet is not asked for
        table.write_all(ready, writing)
    writing.session.flush()


def write_refused(kind: Kind, rows: Rows, refused: list[Refused], path: Path) -> None:
    """Write the refused rows as a CSV that a table program opens, see ``refused_sheet``."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        file.writelines(refused_sheet(kind, rows, refused))


def write_codes(codes: Mapping[str, str], source: Path) -> Path:
    """Write first-log-in codes beside the file they are of, as ``<file>.codes.csv`` only its owner can read.

    Returns where they stand.
    """
    beside = source.with_name(f"{source.name}.codes.csv")
    beside.unlink(missing_ok=True)  # of an earlier import, and whoever could read that one
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8-sig") as out:
        writer = csv.writer(out)
        writer.writerow(["用户名", "首次登录码"])
        writer.writerows(codes.items())
    return beside


def refused_sheet(kind: Kind, rows: Rows, refused: list[Refused]) -> Iterator[str]:
    """Yield the lines of a CSV of the refused rows: line and reasons first, then the cells as they were."""
    reasons: dict[int, list[str]] = {}
    for one in refused:
        reasons.setdefault(one.line, []).append(f"{one.column}：{one.reason}" if one.column else one.reason)
    keys = _keys_of(kind, rows)
    yield _csv_line(["行", "原因", *(column.title for column in kind.columns)])
    for line, cells in rows:
        if line in reasons:
            by_key = {keys.get(heading, heading): value for heading, value in cells.items()}
            told = [shown(by_key.get(column.key, "")) for column in kind.columns]
            yield _csv_line([str(line), "；".join(reasons[line]), *told])


def _csv_line(cells: list[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow([guarded(cell) for cell in cells])
    return line.getvalue()


def _batched(rows: Iterable[Any]) -> Iterator[list[Any]]:
    here = iter(rows)
    while chunk := list(islice(here, AT_ONCE)):
        yield chunk


class _Counter:
    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    def over(self, rows: Iterator[Any]) -> Iterator[Any]:
        for row in rows:
            yield row
            self._done += 1
            if self._done % AT_ONCE == 0 or self._done == self._total:
                self._progress(self._done, self._total)


Parsed = tuple[int, Values, list[Fault]]


def _keys_of(kind: Kind, rows: Rows) -> dict[str, str]:
    """Return the English key of every heading, "" for one that is passed over. Raises ``Invalid`` for one nobody knows
    or one that is missing."""
    known = dict.fromkeys(kind.passed_over, "")
    known |= {word: one.key for one in kind.columns for word in (*one.also, one.title, one.key)}
    if rows.headings:
        if strange := [heading for heading in rows.headings if heading and heading not in known]:
            raise Invalid(
                f"不认识的列：{'、'.join(strange)}。可用的列：{'、'.join(kind.titles.values())}", file="列名不对"
            )
        named = [known[heading] for heading in rows.headings if heading and known[heading]]
        there = set(named)
        if missing := [kind.titles[key] for key in kind.required if key not in there]:
            raise Invalid(f"缺少必填的列：{'、'.join(missing)}", file="缺少列")
        if len(there) < len(named):
            raise Invalid("同一列用两个列名各写了一次", file="列名重复")
    return known


def _parsed(kind: Kind, rows: Rows, keys: dict[str, str]) -> Iterator[Parsed]:
    """Yield every row as line, values (raw ones where faulty) and the faults of its cells."""
    columns = {column.key: column for column in kind.columns}
    for line, cells in rows:
        values: Values = {}
        faults: list[Fault] = []
        if BROKEN in cells:
            yield line, {}, [Fault("", cells[BROKEN])]
            continue
        said = {keys.get(heading) for heading, raw in cells.items() if raw not in ("", None)} if rows.given else set()
        for heading, raw in (cells | {key: raw for key, raw in rows.given.items() if key not in said}).items():
            if heading == EXTRA:
                faults.append(Fault("", f"比列名多出：{str(raw)[:60]}"))
            elif heading and heading not in keys:
                faults.append(Fault("", f"不认识的列：{heading[:60]}"))
            elif heading and keys[heading]:
                column = columns[keys[heading]]
                values[column.key] = raw
                if raw is None or (isinstance(raw, str) and not raw.strip()):
                    values[column.key] = column.default
                    continue
                try:
                    values[column.key] = column.parse(raw)
                except WrongValue as fault:
                    faults.append(Fault(column.key, str(fault)))
        faults += [
            Fault(key, "必须填写") for key in kind.required if values.get(key, "") in ("", None) and key in columns
        ]
        yield line, values, faults


def _whole(kind: Kind, values: Values, before: Values | None) -> Values:
    """Return the row with what the file does not say: as it was, or by default."""
    held = before or {}
    kept = {
        name: held[name]
        for name, value in values.items()
        if isinstance(value, Masked) and _stands_for(value, held.get(name))
    }
    return {column.key: column.default for column in kind.columns} | held | values | kept


def _stands_for(masked: Masked, number: Any) -> bool:
    return bool(number) and mask(str(number)) == masked


def _wrong(  # noqa: PLR0917 - the state of one walk through a file
    table: Table,
    values: Values,
    before: Values | None,
    line: int,
    surveyed: Any,
    known: dict[str, int],
) -> Iterator[Fault]:
    earlier = known.get(table.key(values))
    if earlier is not None:
        yield Fault("", f"与第 {earlier} 行重复")
    elif line in surveyed:
        yield surveyed[line]
    else:
        yield from table.faults(values, before)


def _refused(kind: Kind, line: int, values: Values, fault: Fault) -> Refused:
    value = shown(values.get(fault.column, "")) if fault.column else ""
    return Refused(line, kind.titles.get(fault.column, ""), value[:200], fault.reason)


def _note(  # noqa: PLR0917
    kind: Kind, found: Preview, line: int, name: str, values: Values, before: Values | None
) -> None:
    if before is None:
        found.new += 1
    elif before == values:
        found.unchanged += 1
        return
    else:
        found.changed += 1
    if len(found.samples) < SAMPLES:
        differing = [one for one in kind.columns if before is None or before.get(one.key) != values[one.key]]
        told = {one.title: one.shown(values[one.key]) for one in differing}
        was = None if before is None else {one.title: one.shown(before.get(one.key)) for one in differing}
        found.samples.append(Change(line, name, was, told))
