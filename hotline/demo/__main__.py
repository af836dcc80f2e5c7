"""``make demo``: the whole hotline on this machine, with the Hengshui demo city."""

from __future__ import annotations

import json
import shutil
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

import click
from rich.console import Console
from rich.table import Table

from hotline import bootstrap
from hotline.accounts import service as accounts
from hotline.clock import utc_now
from hotline.config import Settings
from hotline.db import session_scope
from hotline.demo import city
from hotline.demo.places import MODEL, choose_ports, environment, load_secrets
from hotline.demo.processes import DemoFault, Supervisor, embedded_valkey, programs
from hotline.demo.stage import World
from hotline.demo.story import tell
from hotline.migrations import run as migrations
from hotline.speech.models import ModelFault, check_model

console = Console(highlight=False)

CHECKED, NO_MODEL, BROKEN = 0, 3, 1
DEMO_MODEL_NOTICE = "演示识别模型只认得录音里的声音；真人说话请安装官方模型：hotline speech install small-cn"
NO_MODEL_NOTICE = "没有识别模型：通话照常，没有转写。安装：hotline speech install small-cn"


@click.command()
@click.option("--once", is_flag=True, help="Check the whole story on a fresh city, then stop.")
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), help="Default: var/demo.")
@click.option("--model", type=click.Path(file_okay=False, path_type=Path), default=MODEL, help="A Vosk model.")
def main(*, once: bool, folder: Path | None, model: Path) -> None:
    """Start everything on 127.0.0.1, place the recorded calls, print their timeline, and stay for a browser."""
    signal.signal(signal.SIGTERM, _interrupt)
    place = folder or Path("var") / ("demo-once" if once else "demo")
    if once and folder is None and place.exists():
        shutil.rmtree(place)  # our own folder: a story is checked on a fresh city
    try:
        sys.exit(_run(place, model, once=once))
    except DemoFault as fault:
        console.print(f"[red]✗[/] {fault}", markup=True)
        sys.exit(BROKEN)
    except KeyboardInterrupt:
        console.print("stopped")


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _run(folder: Path, model: Path, *, once: bool) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    logs = folder / "logs"
    logs.mkdir(exist_ok=True)
    usable = _usable(model)
    kept = load_secrets(folder)
    ports = choose_ports(usual=not once)
    env = environment(folder, ports, kept, usable)
    token = prepare(Settings.from_env(env), kept["password"])
    notice = NO_MODEL_NOTICE if usable is None else DEMO_MODEL_NOTICE if usable == MODEL else f"识别模型：{usable.name}"
    supervisor = Supervisor(env, logs)
    with embedded_valkey(folder, ports.valkey):
        try:
            wanted = programs(ports, notice)
            console.print(f"starting {len(wanted)} processes, logs in {logs}")
            for program in wanted:
                supervisor.start(program)
            supervisor.wait_until_up(wanted)
            world = World.served_at(ports, password=kept["password"], token=token, hears=usable is not None)
            addresses = {"web": world.web, "exchange": world.exchange}
            (folder / "where.json").write_text(json.dumps(addresses), encoding="utf-8")
            if token:
                tell(world, console, supervisor.check)
            if usable is None:
                console.print("transcript: none (no model)")
            if not once:
                _stay(world, notice, supervisor)
        finally:
            supervisor.stop()
    return NO_MODEL if usable is None else CHECKED


def _usable(model: Path) -> Path | None:
    try:
        return check_model(model)
    except ModelFault as fault:
        console.print(f"[yellow]![/] {fault}")
        return None


def prepare(settings: Settings, password: str) -> str:
    """Bring the tables up and fill an empty database; returns a token to read along with, "" when it was filled before.

    Other people's data are refused.
    """
    migrations.upgrade(settings.database_url)
    runtime = bootstrap.build(settings)
    try:
        with session_scope(runtime.sessions) as session:
            if city.is_demo(session):
                return ""
            if not city.may_seed(session):
                raise DemoFault("this database holds other than demo data; give another --folder")
        now = utc_now()
        counts = city.seed(runtime.sessions, password=password, now=now)
        with session_scope(runtime.sessions) as session:
            reader = accounts.create_program(session, role="SUP", unit_id=None, now=now)
            token = accounts.create_token(session, user_id=reader.id, now=now)
    finally:
        runtime.close()
    console.print("Hengshui: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
    return token


def _stay(world: World, notice: str, supervisor: Supervisor) -> None:
    """Say where to look and as whom, and stay until interrupted or a process ends."""
    table = Table("who", "log in as", "where", title=f"password of all: {world.password}", title_justify="left")
    for who, login, where in (
        ("caller 市民", "—", world.exchange),
        ("operator 话务员", "op01 op02 op03", f"{world.web}/desk"),
        ("dispatcher 派单员", "rev01", f"{world.web}/office"),
        ("county 饶阳县 (二级)", "ry", f"{world.web}/portal"),
        ("township 大尹村镇 (三级)", "ry02", f"{world.web}/portal"),
        ("callback officer 回访员", "cbk01", f"{world.web}/duty"),
        ("supervisor 督办员", "sup01", f"{world.web}/office"),
        ("administrator 系统管理员", "adm01", f"{world.web}/office"),
        ("auditor 审计管理员", "aud01", f"{world.web}/office"),
    ):
        table.add_row(who, login, where)
    console.print(table)
    console.print(notice)
    console.print("Ctrl-C ends everything.")
    stop = threading.Event()
    while not stop.wait(1.0):
        supervisor.check()


if __name__ == "__main__":
    main()
