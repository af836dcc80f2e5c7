"""Files as a city would send them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping

from hotline.imports import KINDS, Rows, read


def csv_of(kind: str, rows: Iterable[Mapping[str, str]], *, encoding: str = "utf-8") -> bytes:
    """Return a CSV with the Chinese titles of a kind; only the columns some row has."""
    listed = list(rows)
    titles = {key: title for key, title in KINDS[kind].titles.items() if any(key in row for row in listed)}
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(titles.values())
    writer.writerows([[row.get(key, "") for key in titles] for row in listed])
    return out.getvalue().encode(encoding)


def rows_of(kind: str, *rows: Mapping[str, str]) -> Rows:
    """Return such a file, read."""
    return read(csv_of(kind, rows), f"{kind}.csv")
