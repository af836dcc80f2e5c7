"""A row of a sheet and an entry are the same thing, there and back."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from sqlalchemy.orm import Session

from hotline.imports import knowledge, workbook
from hotline.imports.files import read
from hotline.knowledge_base import rows, service, sheets, stock
from hotline.knowledge_base.content import Content
from tests.conftest import NOON

WORDS = (
    st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=40)
    .map(str.strip)
    .filter(bool)
)
CONTENTS = st.builds(
    Content,
    question=WORDS,
    answer=WORDS,
    similar=st.lists(WORDS, max_size=4, unique=True).map(tuple),
    spoken=WORDS | st.just(""),
    category=WORDS | st.just(""),
    source=WORDS | st.just(""),
    valid_from=st.none() | st.dates(date(2000, 1, 1), date(2020, 1, 1)),
    valid_to=st.none() | st.dates(date(2020, 1, 1), date(2040, 1, 1)),
    review_on=st.none() | st.dates(date(2020, 1, 1), date(2040, 1, 1)),
    public=st.booleans(),
)


def as_read(cells: list[str]) -> dict[str, Any]:
    """Return what the cells say, as an import reads them."""
    told = zip(knowledge.ENTRY_COLUMNS, cells, strict=True)
    return {one.key: one.parse(cell) if cell.strip() else one.default for one, cell in told}


@given(CONTENTS)
def test_what_is_written_is_what_is_read(content: Content) -> None:
    read_again = as_read(sheets.cells("code", content))
    assert rows.read_content(read_again) == content
    assert read_again == sheets.as_row("code", content)


def test_a_cell_that_looks_like_a_formula_is_text() -> None:
    sly = Content(question='=HYPERLINK("http://x")', answer="@SUM(A1)", spoken="+1", category="-1", source="\t=1")
    head = [field.title for field in sheets.FIELDS]
    body = workbook.write(sheets.TITLE, head, [sheets.cells("=1+1", sly)])
    row = load_workbook(io.BytesIO(body))[sheets.TITLE][2]
    assert "f" not in {cell.data_type for cell in row}
    assert [cell.value for cell in row][:2] == ["=1+1", '=HYPERLINK("http://x")']
    ((_, told),) = read(body, "知识.xlsx")
    assert told["问题"] == '=HYPERLINK("http://x")'


def test_several_questions_are_parted_by_lines_else_by_semicolons() -> None:
    assert sheets.similar_of("甲，乙？\n丙；丁\n\n甲，乙？") == ["甲，乙？", "丙；丁"]
    assert sheets.similar_of("甲；乙;丙|") == ["甲", "乙", "丙"]
    assert sheets.areas_of("131102、131103 桃城区") == ["131102", "131103", "桃城区"]


def test_every_field_of_an_entry_has_a_column_and_no_heading_two_meanings() -> None:
    assert {field.key for field in sheets.FIELDS} == {sheets.NUMBER, *Content.__dataclass_fields__} - {"attachments"}
    words = [word for field in sheets.FIELDS for word in (field.key, field.title, *field.also)]
    assert len(words) == len({*words, *sheets.PASSED_OVER}) - len(sheets.PASSED_OVER)


def test_what_is_published_is_taken_away_by_category(session: Session) -> None:
    told = [
        {"id": "b", "question": "乙", "answer": "答", "category": "供水"},
        {"id": "a", "question": "甲", "answer": "答", "similar": ["甲甲"]},
        {"id": "c", "question": "丙", "answer": "答"},
    ]
    service.import_entries(session, told, actor_id=None, now=NOON)
    service.withdraw(session, code="c", actor_id=None, now=NOON)
    assert [code for code, _ in stock.published(session)] == ["a", "b"]
    assert dict(stock.published(session, category="")) == {"a": Content("甲", "答", similar=("甲甲",))}
    assert stock.categories(session) == [("", 1), ("供水", 1)]
