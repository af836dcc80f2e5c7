"""``hotline setup``: from an empty database to the first call; each step is looked at, mended, looked at again."""

from __future__ import annotations

import sys
import time
import tomllib
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from hotline import bootstrap, doctor
from hotline.doctor import Finding, State
from hotline.setup import env
from hotline.setup.asking import Asking
from hotline.setup.steps import MENDS, Site

console = Console()
MARKS: Final = {State.OK: "[green]✓[/]", State.WARN: "[yellow]![/]", State.MISSING: "[red]✗[/]"}
FILE: Final = click.Path(exists=True, dir_okay=False, path_type=Path)
OF_OTHERS: Final = {"carrier", "web", "workers", "call"}  # steps that wait for somebody or something else
PATIENCE_S: Final = 1800.0  # a person starts programs, finds a telephone, logs in


@click.command()
@click.option("--yes", is_flag=True, help="Ask nothing: answers given here, defaults for the rest.")
@click.option("--answers", type=FILE, help='TOML file of answers: units = "units.csv" …')
@click.option("--answer", "single", multiple=True, metavar="KEY=VALUE", help="One answer. Repeatable.")
@click.option("--env", "path", default=".env", show_default=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--demo", is_flag=True, help="Fill an empty database with the demo city.")
@click.option("--units", help="File of units.")
@click.option("--users", help="File of users.")
@click.option("--admin", help="User name of the first administrator.")
@click.option("--wait", "wait_s", type=float, help="Seconds to wait for programs and the call. With --yes: 0.")
def setup(*, yes: bool, path: Path, wait_s: float | None, **given: object) -> None:
    """Lead from an empty database to the first call.

    Begun again it goes on at the first thing that is not done, and changes nothing that is. What is answered is kept at
    once: Ctrl-C loses nothing.
    """
    began = time.monotonic()
    ask = Asking(yes, _answers(**given))  # type: ignore[arg-type]
    settings = env.complete(env.EnvFile(path), ask)
    console.print(f"{MARKS[State.OK]} 设置：{path} 已完整", highlight=False)
    site = Site(
        env.EnvFile(path), bootstrap.build(settings), ask, (0.0 if yes else PATIENCE_S) if wait_s is None else wait_s
    )
    left, waited_s = _walk(site)
    machine_s = time.monotonic() - began - ask.asked_s - waited_s
    click.echo(f"\n问了 {ask.asked} 个问题；机器用时 {machine_s:.1f} 秒（不含等人回答、启动程序和接电话）。")
    if left:
        click.echo(f"还差：{'、'.join(left)}。处理后再次运行 hotline setup，会从这里继续。")
        sys.exit(1)
    click.echo(f"开通。开通检查：{settings.public_url}/office/city/setup")


def _walk(site: Site) -> tuple[list[str], float]:
    """Go through every check; returns the names of what is still missing, and the seconds others were waited for."""
    left: list[str] = []
    waited_s = 0.0
    for check in doctor.CHECKS:
        found, mend = doctor.look(site.runtime, check), MENDS.get(check.key)
        while not found.good:
            began, asked_s = time.monotonic(), site.ask.asked_s
            if mend is not None:
                mend(site)
            if check.key in OF_OTHERS:
                waited_s += time.monotonic() - began - (site.ask.asked_s - asked_s)
            found = doctor.look(site.runtime, check)
            if found.state is not State.MISSING or site.ask.yes:
                break
            say(found)
            if not site.ask.again():
                break
        say(found)
        if found.state is State.MISSING or (check.key == "call" and not found.good):
            left.append(check.chinese)
        if check.key in {"database", "tables"} and found.state is State.MISSING:
            break  # nothing else can be looked at
    return left, waited_s


def _answers(
    *,
    answers: Path | None,
    single: tuple[str, ...],
    demo: bool,
    units: str | None,
    users: str | None,
    admin: str | None,
) -> dict[str, str]:
    """Return the answers given beforehand, by key; single ones before those of the file."""
    found: dict[str, str] = {}
    if answers is not None:
        try:
            told = tomllib.loads(answers.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
            raise click.UsageError(f"{answers}: {fault}") from fault
        found |= {
            key: ("y" if value else "n") if isinstance(value, bool) else str(value) for key, value in told.items()
        }
    found |= {key: value for key, value in (("units", units), ("users", users), ("admin", admin)) if value is not None}
    if demo:
        found["units"] = "demo"
    for one in single:
        key, there, value = one.partition("=")
        if not there:
            raise click.UsageError(f"--answer {one}: KEY=VALUE is wanted")
        found[key] = value
    return found


def say(found: Finding) -> None:
    """Print one finding in Chinese, and what to do."""
    console.print(f"{MARKS[found.state]} {found.check.chinese}：{found.seen.chinese}", highlight=False, soft_wrap=True)
    if not found.good:
        command = f"：{found.check.command}" if found.check.command else ""
        console.print(f"    {found.check.todo_chinese}{command}", highlight=False, markup=False, soft_wrap=True)


def tell(found: Finding, public_url: str) -> None:
    """Print one finding in English, and what to do."""
    console.print(f"{MARKS[found.state]} {found.check.english}: {found.seen.english}", highlight=False, soft_wrap=True)
    if not found.good:
        ways = [f"run: {found.check.command}"] if found.check.command else []
        ways += [f"{public_url}{found.check.page}"] if found.check.page else []
        todo = found.check.todo_english + (f"; {' or '.join(ways)}" if ways else "")
        console.print(f"    {todo}", highlight=False, markup=False, soft_wrap=True)
