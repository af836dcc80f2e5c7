"""What a city's own data have in common on their pages: a table of columns, a form of fields, a story of changes.

What a row holds, what may stand in it and how it is written is told once, by its kind in ``hotline.imports``: a form is
a file of one row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, ClassVar, Final, Generic, TypeVar

from flask.typing import ResponseReturnValue
from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.db import Base
from hotline.errors import Invalid, NotAllowedNow
from hotline.imports import KINDS
from hotline.imports.parts import Fault, Writing, WrongValue, shown
from hotline.imports.parts import Kind as ImportKind
from hotline.imports.removal import remove
from hotline.imports.uses import Use
from hotline.web.formats import date_words, mask_phone
from hotline.web.words import CHANGES

Row = TypeVar("Row", bound=Base)
Values = Mapping[str, Any]
PER_PAGE: Final = 50
AT_ONCE: Final = 500
NOTHING: Final = "—"
CLEAR: Final = "-"  # typed over personal data that is to go


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the list and of the sheet taken away. ``show`` gives plain words."""

    word: str
    show: Callable[[Any], str]
    fit: bool = False  # as narrow as its words


@dataclass(frozen=True, slots=True)
class Look:
    """How a column of the import looks as a field of the form, where it is more than a line of text."""

    type: str = "text"
    options: Callable[[Session], Sequence[tuple[Any, str]]] | None = None
    words: Mapping[str, Any] = field(default_factory=dict)  # of the import: what a cell says for which value
    wide: bool = False
    attrs: Mapping[str, Any] = field(default_factory=dict)

    def choices(self, session: Session) -> list[tuple[Any, str]]:
        """Return the options of a select."""
        if self.options:
            return list(self.options(session))
        told: dict[Any, str] = {}
        for word, value in self.words.items():
            told.setdefault(value, word)
        return list(told.items())


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the form, as ``ui.field`` draws it."""

    name: str
    word: str
    type: str = "text"
    required: bool = False
    help: str = ""
    options: Sequence[tuple[Any, str]] = ()
    wide: bool = False
    attrs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Filter:
    """One chip over the list."""

    key: str
    word: str
    clause: Callable[[], ColumnElement[bool]]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a row is used, and the page that shows it (None: nobody here may open one)."""

    use: Use
    href: str | None = None


class Kind(Generic[Row]):
    """One kind of the city's data on its pages. A subclass names its table, columns and looks."""

    key: ClassVar[str]  # in addresses, and among ``hotline.imports.KINDS``
    word: ClassVar[str]
    icon: ClassVar[str]
    note: ClassVar[str]  # what it is for, under the title
    empty: ClassVar[str]  # what to do now when there is none
    subject: ClassVar[str]  # in the log of changes
    model: type[Row]
    order: ClassVar[Sequence[Any]]
    searched: ClassVar[Sequence[Any]]
    search_hint: ClassVar[str]
    columns: ClassVar[Sequence[Column]]
    filters: ClassVar[Sequence[Filter]] = ()
    looks: ClassVar[Mapping[str, Look]] = {}
    fixed: ClassVar[Sequence[str]] = ("code",)  # columns a row is known by: given once, never changed
    frozen: ClassVar[Sequence[str]] = ()  # further columns that never change
    unasked: ClassVar[Sequence[str]] = ("active",)  # columns the form leaves to a button
    secret: ClassVar[Sequence[str]] = ()  # columns of personal data: shown masked, kept when nothing is typed
    list_template: ClassVar[str] = "city/list.html"
    form_template: ClassVar[str] = "city/form.html"
    can_switch: ClassVar[bool] = True
    converter: ClassVar[str] = "int"  # of the row's key in addresses
    acts: ClassVar[Mapping[str, str]] = CHANGES

    @property
    def told(self) -> ImportKind:
        """What a row of the kind holds, and how it is written."""
        return KINDS[self.key]

    # ---- reading

    def select(self, text: str = "", show: str = "") -> Select[Any]:
        """Return the rows that hold ``text`` and pass the filter ``show``; an unknown filter passes everything."""
        wanted = select(self.model)
        if text:
            wanted = wanted.where(or_(*(column.contains(text, autoescape=True) for column in self.searched)))
        for one in self.filters:
            if one.key == show:
                wanted = wanted.where(one.clause())
        return wanted

    def count(self, session: Session, text: str = "", show: str = "") -> int:
        """Return how many rows ``select`` gives."""
        return session.scalar(select(func.count()).select_from(self.select(text, show).subquery())) or 0

    def page(self, session: Session, text: str, show: str, page: int) -> Sequence[Row]:
        """Return one page of rows in the list's order, from page 1."""
        wanted = self.select(text, show).order_by(*self.order)
        return session.scalars(wanted.limit(PER_PAGE).offset((page - 1) * PER_PAGE)).all()

    def chips(self, session: Session) -> Sequence[Filter]:
        """Return the filters offered over the list."""
        return self.filters

    def about(self, session: Session, row: Row | None) -> dict[str, Any]:
        """Return what the kind's own templates need besides the usual."""
        return {}

    def heads(self) -> list[str]:
        """Return the headings of the sheet: those the import takes."""
        return list(self.told.titles.values())

    def cells(self, session: Session, rows: Sequence[Row], *, plain: bool = False) -> list[list[str]]:
        """Return the rows of the sheet under ``heads``; personal data masked unless ``plain``."""
        table = self.told.begin(session)
        names = list(self.told.titles)
        hidden = () if plain else self.secret
        words = {
            name: {value: word for word, value in reversed(list(look.words.items()))}
            for name, look in self.looks.items()
        }
        cells = []
        for start in range(0, len(rows), AT_ONCE):
            known = [self.identity(row) for row in rows[start : start + AT_ONCE]]
            present = table.present(known)
            for one in known:
                values = present[table.key(one)]
                told = {name: _cell(words.get(name, {}), values.get(name)) for name in names}
                cells.append([self.masked(cell) if name in hidden and cell else cell for name, cell in told.items()])
        return cells

    def masked(self, cell: str) -> str:
        """Return a cell of personal data as a sheet taken away shows it; the import knows it for what stands there."""
        return mask_phone(cell)

    @property
    def words(self) -> dict[str, str]:
        """Return the word of every field a change may name."""
        return self.told.titles

    def choices(self, session: Session) -> dict[str, dict[str, str]]:
        """Return the word of every code a field may hold, by field."""
        return {
            name: {str(key): word for key, word in look.choices(session) if key != ""}
            for name, look in self.looks.items()
        }

    # ---- one row

    def row_id(self, row: Row) -> Any:
        """Return the row's key in addresses."""
        return row.id  # type: ignore[attr-defined]

    def subject_id(self, row: Row) -> str:
        """Return what the log of changes calls the row."""
        code: str = row.code  # type: ignore[attr-defined]
        return code

    def titles(self, session: Session, subject_ids: Sequence[str]) -> Mapping[str, str]:
        """Return what people call rows of the log, by what the log calls them, where that differs."""
        return {}

    def title(self, row: Row) -> str:
        """Return what people call the row."""
        name: str = row.name  # type: ignore[attr-defined]
        return name

    def identity(self, row: Row) -> dict[str, Any]:
        """Return the values of ``fixed``, by which the import knows the row."""
        return {name: getattr(row, name) for name in self.fixed}

    def values(self, session: Session, row: Row) -> dict[str, Any]:
        """Return what the row holds, by column of the import."""
        table, known = self.told.begin(session), self.identity(row)
        return dict(table.present([known])[table.key(known)])

    def start(self, session: Session, asked: Mapping[str, str]) -> dict[str, str]:
        """Return what stands in the form of a new row: what the address says."""
        return {name: value for name, value in asked.items() if name in self.told.titles}

    def form_values(self, values: Values) -> dict[str, str]:
        """Return what stands in the form: every value as a cell shows it, personal data left out."""
        fixed = (*self.fixed, *self.frozen)  # nobody chooses there: the word itself is shown
        words = {name: {value: word for word, value in look.words.items()} for name, look in self.looks.items()}
        told = {
            name: date_words(value)
            if name in fixed and isinstance(value, date)
            else _cell(words.get(name, {}) if name in fixed or isinstance(value, list) else {}, value)
            for name, value in values.items()
        }
        return {name: "" if name in self.secret else cell for name, cell in told.items()}

    def fields(self, session: Session, row: Row | None) -> Sequence[Field]:
        """Return the fields of the form for a row, or for a new one (None)."""
        fields = []
        for column in self.told.columns:
            if column.key in self.unasked:
                continue
            look = self.looks.get(column.key, Look())
            attrs = dict(look.attrs)
            help_ = column.help
            kind = look.type
            if row is not None and column.key in (*self.fixed, *self.frozen):
                attrs["readonly"], help_, kind = True, "不能修改", "text"
            if row is not None and column.key in self.secret:
                help_ = f"不填则不变；填 {CLEAR} 则清除"
            fields.append(
                Field(
                    name=column.key,
                    word=column.title.removesuffix("编号") if look.options else column.title,
                    type=kind,
                    required=column.required,
                    help=help_,
                    options=look.choices(session) if kind == "select" else (),
                    wide=look.wide,
                    attrs=attrs,
                )
            )
        return fields

    def uses(self, session: Session, row: Row) -> Sequence[Place]:
        """Return where the row is used; empty: it may be put out of use."""
        return ()

    # ---- writing

    def write(
        self, session: Session, before: dict[str, Any] | None, typed: Values, *, actor: Actor, now: datetime
    ) -> Writing:
        """Write what was typed to a row that held ``before`` (None: a new one), as an import of one row would.

        Returns the writing: it holds what must be told once. Raises ``Invalid`` with faults by field.
        """
        values, faults = self.read(typed, before)
        table = self.told.begin(session)
        if before is None and not faults and table.present([values]):
            faults[self.fixed[0]] = "已有，请换一个"
        if not faults:
            found: list[Fault] = [*table.survey([(1, values)]).values(), *table.faults(values, before)]
            faults = {fault.column: fault.reason for fault in reversed(found)}
        if faults:
            raise Invalid("；".join(faults.values()), **{name or "row": reason for name, reason in faults.items()})
        writing = Writing(session, actor, now)
        if before != values:
            table.write(values, before, writing)
            session.flush()
        return writing

    def read(self, typed: Values, before: Values | None) -> tuple[dict[str, Any], dict[str, str]]:
        """Return what was typed as values by column, over ``before``, and what is wrong with single fields."""
        values = {column.key: column.default for column in self.told.columns} | dict(before or {})
        faults: dict[str, str] = {}
        for column in self.told.columns:
            raw = typed.get(column.key)
            if raw is None or (before is not None and column.key in (*self.fixed, *self.frozen)):
                continue
            if column.key in self.secret and before is not None and not raw:
                continue
            if column.key in self.secret and raw == CLEAR:
                raw = ""
            if isinstance(raw, str) and not raw.strip():
                values[column.key] = column.default
            else:
                try:
                    values[column.key] = column.parse(raw)
                except WrongValue as fault:
                    faults[column.key] = str(fault)
        for name in self.told.required:
            if name not in faults and values.get(name) in ("", None):
                faults[name] = "必须填写"
        return values, faults

    def find(self, session: Session, typed: Values) -> Row:
        """Return the row just written, by what it is known by."""
        columns = {column.key: column for column in self.told.columns}
        known = [getattr(self.model, name) == columns[name].parse(typed[name]) for name in self.fixed]
        return session.scalars(select(self.model).where(*known)).one()

    def after_new(self, row: Row, writing: Writing) -> ResponseReturnValue | None:
        """Return the page to show after a new row, None: the list."""
        return None

    def is_on(self, row: Row) -> bool:
        """Whether the row is in use; rows without a switch always are."""
        return bool(getattr(row, "active", True))

    def switch(self, session: Session, row: Row, on: bool, *, actor: Actor, now: datetime) -> None:
        """Put the row into use or out of it. Raises ``NotAllowedNow`` telling where it is in use."""
        if on:
            self.write(session, self.values(session, row), {"active": "是"}, actor=actor, now=now)
        else:
            self.retire(session, row, actor=actor, now=now)

    def retire(self, session: Session, row: Row, *, actor: Actor, now: datetime) -> None:
        """Put the row out of use. Raises ``NotAllowedNow`` telling where it is in use."""
        raise NotImplementedError

    def remove(self, session: Session, row: Row, *, actor: Actor, now: datetime) -> None:
        """Delete a row that was never used. Raises ``NotAllowedNow`` telling what refers to it."""
        if why := self.kept_because(session, row):
            raise NotAllowedNow(why)
        remove(
            session,
            actor=actor,
            now=now,
            row=row,
            title=self.title(row),
            subject=self.subject,
            subject_id=self.subject_id(row),
            held=self.values(session, row),
            hidden=tuple(self.secret),
        )

    def kept_because(self, session: Session, row: Row) -> str:
        """Return why the row is kept though nothing refers to it; mostly nothing forbids it to go."""
        return ""


def _cell(words: Mapping[Any, str], value: Any) -> str:
    if isinstance(value, list) and words:
        return shown([words.get(one, one) for one in value])
    return words[value] if words and value in words else shown(value)
