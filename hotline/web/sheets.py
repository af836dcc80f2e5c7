"""Answers that are files to keep: a sheet as a workbook or as CSV, or any other."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Final
from urllib.parse import quote

from flask import Response

from hotline.errors import NotFound
from hotline.imports import workbook
from hotline.imports.files import guarded

WORKBOOK: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def sheet_answer(word: str, form: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> Response:
    """Return a sheet as a workbook whose cells are all words, or as a CSV in which nothing is taken for a formula.

    Raises ``NotFound`` for another form.
    """
    if form not in {"xlsx", "csv"}:
        raise NotFound("只能导出 .xlsx 或 .csv")
    if form == "xlsx":
        return attached(f"{word}.xlsx", workbook.write(word, head, rows), WORKBOOK)
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for row in (head, *rows):
        writer.writerow([guarded(cell) for cell in row])
    return attached(f"{word}.csv", "\ufeff" + buffer.getvalue(), "text/csv; charset=utf-8")


def attached(name: str, body: str | bytes, content_type: str) -> Response:
    """Return a file to keep."""
    answer = Response(body, content_type=content_type)
    # a header holds Latin letters only: the name goes as RFC 5987 says
    answer.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(name)}"
    return answer
