"""``hotline kb``: knowledge brought in and taken away by the file, and what a search finds."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from hotline import bootstrap
from hotline.accounts.service import SYSTEM
from hotline.db import reading, session_scope
from hotline.imports import Kind, Outcome, Refused, files, knowledge, run, workbook, write_refused
from hotline.knowledge_base import documents, handbook, sheets, stock
from hotline.knowledge_base import service as knowledge_base
from hotline.setup.env import EnvFile

console = Console()
LINES = ".jsonl"


def _runtime() -> bootstrap.Runtime:
    return bootstrap.build(EnvFile(Path(".env")).settings())


@click.group()
def kb() -> None:
    """The knowledge base."""


@kb.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--questions-only", is_flag=True, help="Allow entries without an answer, for measuring (.jsonl).")
@click.option("--draft", is_flag=True, help="Leave rows for an editor to check instead of publishing them.")
@click.option("--sheet", help="Sheet of a workbook; default: the one called 知识, else the first.")
@click.option("--category", help="Category of what names none.")
def kb_import(*, file: Path, questions_only: bool, draft: bool, sheet: str | None, category: str | None) -> None:
    """Add or update entries from FILE; wrong lines are listed and the rest imported.

    Rows of XLSX, CSV, JSONL and JSON are published. Documents (DOCX, PDF with text, HTML, TXT) are split by their
    clauses into drafts for an editor to finish. Exit code 1: some lines were refused.
    """
    plain = file.suffix == LINES and not draft and category is None
    if questions_only and not plain:
        raise click.UsageError("--questions-only goes with .jsonl alone")
    if plain:
        _import_lines(file, questions_only=questions_only)
        return
    kind = knowledge.kind_of(file.name)
    if kind is knowledge.ENTRIES and not draft:
        kind = knowledge.PUBLISHED
    given = {"category": category} if category else {}
    rows = kind.read(file, file.name, sheet=sheet, liked=kind.title).giving(given)
    runtime = _runtime()
    with Progress(console=console, transient=True) as bar:
        task = bar.add_task(file.name, total=None)
        done = run(
            runtime.sessions,
            kind,
            rows,
            actor=SYSTEM,
            now=runtime.now(),
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    _tell(kind, done, rows, file)


def _tell(kind: Kind, done: Outcome, rows: files.Rows, file: Path) -> None:
    for one in done.refused:
        click.echo(f"line {one.line}: {_reason(one)}", err=True)
    lines = len({one.line for one in done.refused})
    click.echo(f"added {done.new}, updated {done.changed}, unchanged {done.unchanged}, refused {lines}")
    if done.refused:
        beside = file.with_name(f"{file.name}.refused.csv")
        write_refused(kind, rows, done.refused, beside)
        click.echo(f"refused lines and why: {beside}")
        sys.exit(1)


def _reason(one: Refused) -> str:
    return f"{one.column}：{one.reason}" if one.column else one.reason


def _import_lines(file: Path, *, questions_only: bool) -> None:
    runtime = _runtime()
    with session_scope(runtime.sessions) as session, file.open(encoding="utf-8") as lines:
        result = knowledge_base.import_lines(
            session, lines, questions_only=questions_only, actor_id=None, now=runtime.now()
        )
    for line, reason in result.refused:
        click.echo(f"line {line}: {reason}", err=True)
    click.echo(f"added {result.added}, updated {result.updated}, refused {len(result.refused)}")
    if result.refused:
        sys.exit(1)


@kb.command("split")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def kb_split(file: Path) -> None:
    """Print the drafts a document would be split into, a JSON object a line, and write nothing."""
    for draft in documents.split(documents.read(file, file.name)):
        told = {"question": draft.question, "answer": draft.answer, "source": draft.source} | draft.origin()
        click.echo(json.dumps(told, ensure_ascii=False))


@kb.command("export")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--category", help="Only entries of this category.")
@click.option("--title", default="12345政务服务热线知识手册", show_default=True, help="Title of the handbook.")
def kb_export(file: Path, category: str | None, title: str) -> None:
    """Write what is published to FILE: a sheet (.xlsx), lines (.jsonl), or a printed handbook (.docx)."""
    if file.suffix not in {".xlsx", LINES, ".docx"}:
        raise click.UsageError("FILE ends in .xlsx, .jsonl or .docx")
    runtime = _runtime()
    with session_scope(runtime.sessions) as session:
        entries = list(stock.published(session, category=category))
        names = stock.unit_names(session)
    if file.suffix == ".xlsx":
        head = [field.title for field in sheets.FIELDS]
        body = workbook.write(sheets.TITLE, head, (sheets.cells(code, content) for code, content in entries))
    elif file.suffix == LINES:
        told = [json.dumps(sheets.as_json(code, content), ensure_ascii=False) for code, content in entries]
        body = "".join(f"{line}\n" for line in told).encode()
    else:
        body = handbook.made(title, entries, units=names, printed_on=runtime.today())
    file.write_bytes(body)
    click.echo(f"wrote {len(entries)} entries to {file}")


@kb.command("search")
@click.argument("words")
@click.option("--limit", default=5, show_default=True)
def kb_search(words: str, limit: int) -> None:
    """Show what the operator would be shown for these words."""
    runtime = _runtime()
    with Progress(console=console, transient=True) as bar, reading(runtime.sessions) as session:
        task = bar.add_task("reading entries", total=None)
        runtime.knowledge.refresh(session, lambda read, total: bar.update(task, completed=read, total=total))
    table = Table("score", "entry", "question", "matched")
    today = runtime.today()
    for hit in runtime.knowledge.search(words, limit=limit, on=today):
        table.add_row(f"{hit.score:.2f}", hit.code, hit.question, " ".join(hit.matched))
    console.print(table)
