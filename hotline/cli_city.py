"""``hotline import``: a city's own data, file by file."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from sqlalchemy.orm import Session

from hotline import bootstrap
from hotline.accounts import queries as accounts
from hotline.accounts.service import SYSTEM, Actor, actor_of
from hotline.errors import Invalid
from hotline.imports import KINDS, Kind, Preview, Refused, Rows, preview, read, run, write_codes, write_refused
from hotline.setup.env import EnvFile

console = Console()
SHOWN: int = 10
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("import")
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("file", type=FILE, required=False)
@click.option("--yes", is_flag=True, help="Write without asking.")
@click.option("--preview", "only_preview", is_flag=True, help="Say what would change, and write nothing.")
@click.option("--as", "username", help="User in whose name it is done; default: the system.")
@click.option("--sheet", help="Sheet of a workbook; default: the one called like the data, else the first.")
@click.option("--example", is_flag=True, help="Print a CSV with the headings and one row, and read no file.")
def import_(
    *,
    kind: str,
    file: Path | None,
    yes: bool,
    only_preview: bool,
    username: str | None,
    sheet: str | None,
    example: bool,
) -> None:
    """Bring in a FILE of one KIND: XLSX, CSV (UTF-8 or GB18030), JSONL or JSON.

    What would change and what is refused is shown first. Good rows are written all at once; refused rows stand with
    their reasons in FILE.refused.csv, and codes of new users in FILE.codes.csv, which nobody else can read. Exit code
    2: some rows were refused.
    """
    wanted = KINDS[kind]
    if example:
        print_example(wanted)
        return
    if file is None:
        raise click.UsageError("FILE is missing (or ask for --example)")
    runtime = bootstrap.build(EnvFile(Path(".env")).settings())
    rows = read(file, file.name, sheet=sheet, liked=wanted.title)
    if len(rows.sheets) > 1:
        click.echo(f"读的是工作表“{rows.sheet}”；另有：{'、'.join(one for one in rows.sheets if one != rows.sheet)}")
    with runtime.sessions() as session, _Bar(f"{wanted.title}：检查") as told:
        actor = _actor(session, username)
        seen = preview(session, wanted, rows, progress=told)
    _show(wanted, seen)
    _keep_refused(wanted, rows, seen.refused, file)
    if not only_preview and seen.new + seen.changed and (yes or click.confirm("写入以上可以导入的行？")):
        with _Bar(f"{wanted.title}：写入") as told:
            done = run(runtime.sessions, wanted, rows, actor=actor, now=runtime.now(), progress=told)
        click.echo(f"已写入：新增 {done.new}，修改 {done.changed}，未变 {done.unchanged}，退回 {_lines(done.refused)}")
        if done.codes:
            click.echo(f"首次登录码（请分发后删除）：{write_codes(done.codes, file)}")
    if seen.refused:
        sys.exit(2)


def print_example(kind: Kind) -> None:
    """Print the headings of a kind, a row that would be taken, and what each column wants."""
    writer = csv.writer(sys.stdout)
    writer.writerow(kind.titles.values())
    writer.writerow([kind.example.get(key, "") for key in kind.titles])
    click.echo(f"\n{kind.help}", err=True)
    for column in kind.columns:
        click.echo(f"  {column.title}（{column.key}）{'必填；' if column.required else ''}{column.help}", err=True)


def _actor(session: Session, username: str | None) -> Actor:
    if username is None:
        return SYSTEM
    user = accounts.by_username(session, username)
    if user is None:
        raise Invalid(f"没有用户 {username}")
    return actor_of(user)


class _Bar:
    """A bar on the terminal that is told done and total."""

    def __init__(self, what: str) -> None:
        self._bar = Progress(console=console, transient=True)
        self._task = self._bar.add_task(what, total=None)

    def __enter__(self) -> _Bar:
        self._bar.start()
        return self

    def __call__(self, done: int, total: int) -> None:
        self._bar.update(self._task, completed=done, total=total)

    def __exit__(self, *_fault: object) -> None:
        self._bar.stop()


def _lines(refused: list[Refused]) -> int:
    return len({one.line for one in refused})


def _show(kind: Kind, seen: Preview) -> None:
    click.echo(
        f"{kind.title}：新增 {seen.new}，修改 {seen.changed}，未变 {seen.unchanged}，退回 {_lines(seen.refused)} 行"
    )
    if changes := [one for one in seen.samples if one.before is not None][:SHOWN]:
        table = Table("行", "列", "原来", "改为")
        for one in changes:
            for title, value in one.after.items():
                table.add_row(str(one.line), title, (one.before or {})[title], value)
        console.print(table)
    if seen.refused:
        table = Table("行", "列", "内容", "原因")
        for fault in seen.refused[:SHOWN]:
            table.add_row(str(fault.line), fault.column, fault.value[:40], fault.reason)
        console.print(table)


def _keep_refused(kind: Kind, rows: Rows, refused: list[Refused], file: Path) -> None:
    beside = file.with_name(f"{file.name}.refused.csv")
    if refused:
        write_refused(kind, rows, refused, beside)
        click.echo(f"退回的行和原因：{beside}")
    else:
        beside.unlink(missing_ok=True)  # of an earlier try: it would mislead
