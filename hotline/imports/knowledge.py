"""Knowledge from files. Rows of a sheet become texts for another person to check, clauses of a policy document drafts
for an editor to finish; nothing is published by whoever brings it in, except by the system itself."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hotline.errors import Invalid, NotAllowedNow
from hotline.imports import files
from hotline.imports.files import Rows
from hotline.imports.parts import Column, Fault, Kind, Parse, Table, Todo, Values, Writing, WrongValue, day, flag, text
from hotline.knowledge_base import documents, incoming, rows, service, sheets, writing
from hotline.knowledge_base.content import DAYS, Content
from hotline.knowledge_base.documents import Draft, split
from hotline.knowledge_base.models import Change, Entry, Version
from hotline.knowledge_base.states import EntryState, VersionState
from hotline.units.models import Unit

CONTENTS: Final = "目录"  # the one sheet a document is
Ready = tuple[Values, int]  # a row, and its line


class _Texts(Table):
    """What rows that become texts of entries have in common."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._known = writing.Known.of(session)
        self._standing: dict[str, incoming.Standing] = {}
        self._lines: dict[str, int] = {}

    def mark(self) -> int:
        """Return a number that grows with every text that is saved or moved on, and with every change of an entry."""
        saved = self.session.scalar(select(func.sum(Version.revision))) or 0
        return saved + (self.session.scalar(select(func.max(Change.seq))) or 0)

    def name(self, values: Values) -> str:
        return str(values["question"])

    def taken(self, values: Values, line: int) -> None:
        self._lines[self.key(values)] = line

    def prepare(self, todo: Sequence[Todo]) -> Sequence[Ready]:
        """Return the rows with their lines."""
        return [(values, self._lines[self.key(values)]) for values, _ in todo]

    def _stand(self, codes: Sequence[str]) -> dict[str, incoming.Standing]:
        self._standing = incoming.standing(self.session, codes)
        return self._standing

    def _held(self, key: str) -> Iterator[Fault]:
        """Yield why a text cannot be written: somebody else is at one."""
        found = self._standing.get(key)
        if found and found.open and not incoming.is_of(found.open, self.user_id):
            doing = "编辑" if found.open.state == VersionState.DRAFT else "提交审核"
            yield Fault("", f"同事正在{doing}这一条，等发布或退回后再导入")

    def _judged(self, values: Values) -> Iterator[Fault]:
        """Yield what is wrong by the rules that hold for forms too."""
        try:
            self._known.check(rows.read_content(values))
        except Invalid as fault:
            for name, reason in (fault.details or {"": fault.message}).items():
                yield Fault(name, str(reason))


class EntryTable(_Texts):
    """Rows of a sheet."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        named = session.execute(select(Unit.name, Unit.code, Unit.area_code)).all()
        names = Counter(one.name for one in named)
        self._units = {one.name: one.code for one in named if names[one.name] == 1}
        self._areas = {one.name: one.area_code for one in named if names[one.name] == 1 and one.area_code}
        self._questions: dict[str, str] | None = None

    def resolved(self, values: Values) -> Values:
        """Return the row with codes for the names of units and areas."""
        unit = str(values.get("owner_unit") or "")
        told = {"owner_unit": self._units[unit]} if unit not in self._known.units and unit in self._units else {}
        areas = values.get("areas")
        found = {"areas": sorted({str(self._areas.get(one, one)) for one in areas})} if isinstance(areas, list) else {}
        return values | told | found

    def key(self, values: Values) -> str:
        given = str(values.get(sheets.NUMBER) or "")
        return given or self._by_question(values["question"]) or rows.code_of(values["question"])

    def _by_question(self, question: str) -> str:
        if self._questions is None:  # read once a sheet without numbers comes
            wanted = select(Entry.question, Entry.code).order_by(Entry.state == EntryState.PUBLISHED, Entry.id.desc())
            self._questions = {asked: code for asked, code in self.session.execute(wanted)}
        return self._questions.get(question, "")

    def present(self, rows: Sequence[Values]) -> Mapping[str, Values]:
        by_key = {self.key(values): values for values in rows}
        found: dict[str, Values] = {}
        for code, one in self._stand(list(by_key)).items():
            shown = self._shown(one)
            given = by_key[code].get(sheets.NUMBER, code)  # a row that brings no number differs by none
            found[code] = sheets.as_row(code, shown) | {sheets.NUMBER: given, "attachments": list(shown.attachments)}
            if one.entry.state == EntryState.DRAFT and one.open is None:
                found[code] = {}  # it was given up: the row begins it anew
        return found

    def _shown(self, one: incoming.Standing) -> Content:
        """Return what the row is compared with: one's own text on its way, else what the entry shows."""
        if one.open and incoming.is_of(one.open, self.user_id):
            return Content.of(one.open.content)
        return one.shown

    def faults(self, values: Values, before: Values | None) -> Iterator[Fault]:
        yield from self._judged(values)
        yield from self._held(self.key(values))

    def write_all(self, ready: Sequence[Ready], writing: Writing) -> None:
        """Give them to another person to check."""
        texts = [
            incoming.Text(self.key(values), rows.read_content(values), note=f"表格导入，第 {line} 行")
            for values, line in ready
        ]
        incoming.bring(writing.session, texts, actor=writing.actor, now=writing.now, submit=True)


class PublishedTable(EntryTable):
    """Rows of a sheet that the system itself brings in: shown to operators at once."""

    def _shown(self, one: incoming.Standing) -> Content:
        return one.shown

    def faults(self, values: Values, before: Values | None) -> Iterator[Fault]:
        yield from self._judged(values)

    def write_all(self, ready: Sequence[Ready], writing: Writing) -> None:
        told = [values | {sheets.NUMBER: self.key(values)} for values, _ in ready]
        done = service.import_entries(writing.session, told, actor_id=writing.actor.user_id, now=writing.now)
        if done.refused:  # looked at before, by the same rules
            raise NotAllowedNow(done.refused[0][1])


class ClauseTable(_Texts):
    """Clauses of a document. One that came before is known by its place; only if its words changed is it brought."""

    def key(self, values: Values) -> str:
        return str(values[sheets.NUMBER])

    def present(self, rows: Sequence[Values]) -> Mapping[str, Values]:
        by_key = {self.key(values): values for values in rows}
        found: dict[str, Values] = {}
        for code, one in self._stand(list(by_key)).items():
            same = one.last is not None and one.last.origin.get("text") == by_key[code]["text"]
            if one.last is None or one.last.state == VersionState.DROPPED:
                found[code] = {}
            elif same:
                found[code] = {column.key: column.default for column in CLAUSE_COLUMNS} | by_key[code]
            else:
                found[code] = {"question": one.shown.question, "answer": one.shown.answer}
        return found

    def faults(self, values: Values, before: Values | None) -> Iterator[Fault]:
        if before is None or values != before:
            yield from self._judged(values)
            found = self._standing.get(self.key(values))
            if found and found.open:
                yield Fault("", "这一条的原文有变化，而上次的稿子还没有处理完；请先发布或放弃那一稿")

    def write_all(self, ready: Sequence[Ready], writing: Writing) -> None:
        """Make them drafts; of a known entry the answer alone is new, what editors made of the rest stays."""
        there = incoming.standing(writing.session, [self.key(values) for values, _ in ready])
        texts = []
        for values, _ in ready:
            content = rows.read_content(values)
            before = there.get(self.key(values))
            if before and before.entry.state != EntryState.DRAFT:
                content = replace(before.shown, answer=content.answer, source=content.source)
            origin = {name: values[name] for name in ("document", "clause", "path", "text")}
            texts.append(incoming.Text(self.key(values), content, note="由文件拆分", origin=origin))
        incoming.bring(writing.session, texts, actor=writing.actor, now=writing.now, submit=False)


# ---- columns


def _plain(raw: Any) -> str:
    """Return the words of a cell; what they must be like stands in ``knowledge_base.rows``."""
    if isinstance(raw, bool) or not isinstance(raw, str | int | float):
        raise WrongValue("应是文字")
    return str(raw).strip()


PARSED: Final[Mapping[str, Parse]] = {
    sheets.NUMBER: text(60),
    "similar": sheets.similar_of,
    "areas": sheets.areas_of,
    "public": flag,
    **dict.fromkeys(DAYS, day),
}
DEFAULTS: Final[Mapping[str, Any]] = {"similar": [], "areas": [], "public": True, **dict.fromkeys(DAYS)}


def _column(field: sheets.Field) -> Column:
    return Column(
        field.key,
        field.title,
        field.help,
        PARSED.get(field.key, _plain),
        required=field.key in {"question", "answer"},
        default=DEFAULTS.get(field.key, ""),
        also=field.also,
    )


ENTRY_COLUMNS: Final = tuple(map(_column, sheets.FIELDS))
CLAUSE_COLUMNS: Final = (
    *(one for one in ENTRY_COLUMNS if one.key in {sheets.NUMBER, "question", "answer", "source"}),
    Column("clause", "条款", "第几条", _plain),
    Column("path", "所在位置", "从上到下的标题", list, default=[]),
    Column("text", "原文", "文件里的原文", _plain),
    Column("document", "文件", "出自哪份文件", _plain),
    *(one for one in ENTRY_COLUMNS if one.key in {"category", "owner_unit", "source_url", "valid_from"}),
)


# ---- documents


def read_document(
    source: Path | bytes,
    name: str,
    *,
    sheet: str | None = None,
    liked: str = "",
    still_here: Callable[[], None] = files.nobody_waits,
) -> Rows:
    """Return the drafts of a policy document as rows, numbered in its order. Raises ``Invalid`` as its readers do."""
    drafts = split(documents.read(source, name, still_here=still_here))
    return files.packed(name, CONTENTS, (), enumerate(map(_row, drafts, _codes(drafts)), start=1))


def _row(draft: Draft, code: str) -> dict[str, Any]:
    return {
        sheets.NUMBER: code,
        "question": draft.question,
        "answer": draft.answer,
        "source": draft.source,
        **draft.origin(),
    }


def _codes(drafts: Sequence[Draft]) -> Iterator[str]:
    """Yield a code for each that is the same whenever the document comes again: of its place, not of its words."""
    seen: Counter[str] = Counter()
    for draft in drafts:
        place = "\n".join((draft.document, draft.clause, *draft.path))
        seen[place] += 1
        yield f"d-{hashlib.sha256(f'{place} {seen[place]}'.encode()).hexdigest()[:16]}"


# ---- kinds


ENTRIES: Final = Kind(
    name="knowledge",
    subject="kb_entries",
    title=sheets.TITLE,
    help="一行一条知识；提交后由另一位同事审核发布。",
    columns=ENTRY_COLUMNS,
    example=sheets.EXAMPLE,
    begin=EntryTable,
    passed_over=sheets.PASSED_OVER,
)
PUBLISHED: Final = replace(ENTRIES, begin=PublishedTable)
CLAUSES: Final = Kind(
    name="documents",
    subject="kb_entries",
    title="政策文件",
    help="按标题和条款拆成问答草稿，由编辑修改后提交审核。",
    columns=CLAUSE_COLUMNS,
    example={},
    begin=ClauseTable,
    check=documents.check,
    read=read_document,
)
KINDS: Final = {kind.name: kind for kind in (ENTRIES, CLAUSES)}
FORMATS: Final = (*files.FORMATS, *documents.FORMATS)


def kind_of(name: str) -> Kind:
    """Return what a file of that name brings: rows of a sheet, or a document to split."""
    sheet = Path(name).suffix.lower() in {*files.FORMATS, *files.REFUSED_FORMATS}
    return ENTRIES if sheet else CLAUSES
