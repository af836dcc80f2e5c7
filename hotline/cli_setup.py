"""``hotline setup``: from an empty database to the first call; each step is looked at, mended, looked at again."""

from __future__ import annotations

import base64
import os
import secrets
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import click
import requests
from rich.console import Console
from sqlalchemy import select

from hotline import bootstrap, doctor
from hotline.accounts import service as accounts
from hotline.accounts.roles import Role
from hotline.bootstrap import Runtime
from hotline.calls.models import DialledNumber
from hotline.calls.numbers import put_number
from hotline.config import Settings, SettingsError
from hotline.db import session_scope
from hotline.demo import city
from hotline.doctor import Finding
from hotline.imports import KINDS, read, run
from hotline.migrations import run as migrations

console = Console()
PATIENCE_S: Final = 30.0
GREETING: Final = "您好，这里是{name}，为了保证服务质量，您的通话将被录音。"
EXCHANGE: Final = "http://127.0.0.1:4020"


@dataclass(frozen=True, slots=True)
class Asking:
    """How a person is asked. ``yes``: nobody is, and every offer that needs no words of theirs is taken."""

    yes: bool
    demo: bool
    env: Path
    units: Path | None
    users: Path | None
    admin: str

    def may(self, what: str, *, unasked: bool = True) -> bool:
        """Whether to go on with an offer; ``unasked``: what is done where nobody is asked."""
        return unasked if self.yes else click.confirm(what, default=True)

    def word(self, what: str, default: str) -> str:
        """Return what the person writes, the default where nobody is asked."""
        return default if self.yes else str(click.prompt(what, default=default))


Mend = Callable[[Runtime, Asking], bool]


@click.command()
@click.option("--yes", is_flag=True, help="Ask nothing; take the defaults and the files given here.")
@click.option("--demo", is_flag=True, help="Fill an empty database with the demo city.")
@click.option("--env", default=".env", show_default=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--units", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="File of units.")
@click.option("--users", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="File of users.")
@click.option("--admin", default="adm", show_default=True, help="User name of the first administrator.")
def setup(**given: object) -> None:
    """Lead from an empty database to the first call. Begun again it goes on where something is missing."""
    ask = Asking(**given)  # type: ignore[arg-type]
    settings = _settings(ask)
    runtime = bootstrap.build(settings)
    failed = []
    for look in (*doctor.LOOKS, doctor.first_call):
        found = look(runtime)
        mend = MENDS.get(look)
        if not found.good and mend is not None and mend(runtime, ask):
            found = look(runtime)
        tell(found)
        if not found.good and found.needed:
            failed.append(found)
        if not found.good and look is doctor.database:
            break  # nothing else can be looked at without tables
    if failed:
        click.echo(
            "\n还差：" + "、".join(found.name for found in failed) + "。处理后再次运行 hotline setup，会从这里继续。"
        )
        sys.exit(1)
    click.echo(f"\n全部就绪。请打开 {settings.public_url}/login 登录。")


def tell(found: Finding) -> None:
    """Print one finding, and how to mend it."""
    mark = "[green]✓[/]" if found.good else "[red]✗[/]" if found.needed else "[yellow]![/]"
    console.print(f"{mark} {found.name}: {found.seen}", highlight=False)
    if not found.good and found.mend:
        console.print(f"    {found.mend}", highlight=False, markup=False)


# ---- settings


def _settings(ask: Asking) -> Settings:
    """Return the settings of the environment, else of the file; what is missing is asked for and kept there."""
    kept = read_env(ask.env)
    try:
        settings = Settings.from_env(kept | os.environ)
    except SettingsError as fault:
        tell(Finding("settings", False, "; ".join(fault.faults), f"missing ones are put into {ask.env}"))
        if not ask.may(f"把缺少的设置写入 {ask.env}？"):
            sys.exit(1)
        made = _made(kept | os.environ, ask)
        _append(ask.env, made)
        settings = Settings.from_env(kept | made | os.environ)
    tell(Finding("settings", True, f"complete (load them into a shell with: set -a; . {ask.env}; set +a)"))
    return settings


def read_env(path: Path) -> dict[str, str]:
    """Return the ``HOTLINE_*`` values of a file of NAME=VALUE lines; nothing where there is no file."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    pairs = (line.split("=", 1) for line in lines if line.startswith("HOTLINE_") and "=" in line)
    return {name.strip(): value.strip().strip("'\"") for name, value in pairs if value.strip()}


def _made(there: dict[str, str], ask: Asking) -> dict[str, str]:
    """Return values for what is not there. Secrets are made; nothing that is there is changed."""
    made: dict[str, str] = {}

    def want(name: str, value: Callable[[], str]) -> None:
        if not there.get(f"HOTLINE_{name}"):
            made[f"HOTLINE_{name}"] = value()

    want("PUBLIC_URL", lambda: ask.word("市民和工作人员访问的网址", "http://127.0.0.1:8000"))
    want("DATABASE_URL", lambda: ask.word("数据库", f"sqlite:///{Path('hotline.db').resolve()}"))
    want("REDIS_URL", lambda: ask.word("Redis（通知和实时刷新）", "redis://127.0.0.1:6379/0"))
    want("SECRET_KEY", lambda: secrets.token_urlsafe(48))
    want("DATA_KEYS", lambda: "k1:" + base64.b64encode(os.urandom(32)).decode())
    if not there.get("HOTLINE_TWILIO_ACCOUNT_SID"):
        if ask.may("使用本机的模拟交换机试用（否：填写运营商账号）？"):
            made["HOTLINE_TWILIO_ACCOUNT_SID"] = "AC" + secrets.token_hex(16)
            made["HOTLINE_TWILIO_AUTH_TOKEN"] = secrets.token_hex(16)
            want("TWILIO_API_URL", lambda: EXCHANGE)
        else:
            made["HOTLINE_TWILIO_ACCOUNT_SID"] = str(click.prompt("运营商账号 SID"))
    if not made.get("HOTLINE_TWILIO_AUTH_TOKEN"):
        want("TWILIO_AUTH_TOKEN", lambda: str(click.prompt("运营商 token", hide_input=True)))
    return made


def _append(path: Path, made: dict[str, str]) -> None:
    """Put values at the end of the file, which only its owner can read."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "a", encoding="utf-8") as file:
        path.chmod(0o600)
        file.write("\n" + "".join(f"{name}={value}\n" for name, value in made.items()))


# ---- what can be mended from here


def _tables(runtime: Runtime, ask: Asking) -> bool:
    if not ask.may("建立（或更新）数据库表？"):
        return False
    migrations.upgrade(runtime.settings.database_url)
    return True


def _city(runtime: Runtime, ask: Asking) -> bool:
    with session_scope(runtime.sessions) as session:
        empty = city.is_empty(session)
    if empty and (ask.demo or (ask.units is None and ask.may("写入演示城市（否：导入自己的数据）？", unasked=False))):
        password = secrets.token_urlsafe(9)
        with session_scope(runtime.sessions) as session:
            city.seed(session, password=password, now=runtime.now())
        click.echo(f"演示城市已写入；每个演示用户的密码（只显示这一次）：{password}")
        return True
    files = ask if ask.yes else _asked_for(ask)
    for name, path in (("units", files.units), ("users", files.users)):
        if path is None:
            continue
        done = run(runtime.sessions, KINDS[name], read(path, path.name), actor=accounts.SYSTEM, now=runtime.now())
        click.echo(f"{KINDS[name].title}：新增 {done.new}，修改 {done.changed}，退回 {len(done.refused)}")
        for fault in done.refused[:5]:
            click.echo(f"  第 {fault.line} 行 {fault.column}：{fault.reason}", err=True)
        for username, code in done.codes.items():
            click.echo(f"  {username} 的首次登录码（只显示这一次）：{code}")
    return True


def _asked_for(ask: Asking) -> Asking:
    there = click.Path(exists=True, dir_okay=False, path_type=Path)
    units = ask.units or click.prompt("承办单位文件", type=there)
    users = ask.users or click.prompt("人员文件", type=there)
    return replace(ask, units=units, users=users)


def _administrator(runtime: Runtime, ask: Asking) -> bool:
    username = ask.word("系统管理员的用户名", ask.admin)
    with session_scope(runtime.sessions) as session:
        _, code = accounts.put_user(
            session,
            actor=accounts.SYSTEM,
            now=runtime.now(),
            username=username,
            display_name="系统管理员",
            role=Role.ADM.value,
        )
    if code is not None:
        click.echo(f"{username} 的首次登录码（只显示这一次）：{code}")
    return True


def _numbers(runtime: Runtime, ask: Asking) -> bool:
    with session_scope(runtime.sessions) as session:
        there = set(session.scalars(select(DialledNumber.number)))
        for number in runtime.settings.numbers:
            if number in there:
                continue
            name = ask.word(f"{number} 的名称", f"{number}政务服务便民热线")
            greeting = ask.word("问候语", GREETING.format(name=name))
            put_number(session, actor=accounts.SYSTEM, now=runtime.now(), number=number, name=name, greeting=greeting)
    return True


def _call(runtime: Runtime, ask: Asking) -> bool:
    """Dial through the local exchange and wait until the call has come in here."""
    settings = runtime.settings
    if not settings.twilio_api_url or not ask.may("拨一个试验电话？"):
        return False
    wanted = {"from": "+8619900000001", "to": settings.numbers[0], "script": [{"wait_s": 3.0}]}
    try:
        answer = requests.post(f"{settings.twilio_api_url}/lab/calls", json=wanted, timeout=10)
    except requests.RequestException as fault:
        click.echo(f"  交换机没有应答：{type(fault).__name__}", err=True)
        return False
    if not answer.ok:
        click.echo(f"  交换机拒绝：{answer.text[:200]}", err=True)
        return False
    limit = time.monotonic() + PATIENCE_S
    while time.monotonic() < limit and not doctor.first_call(runtime).good:
        time.sleep(0.5)
    return True


MENDS: Final[dict[doctor.Look, Mend]] = {
    doctor.database: _tables,
    doctor.city: _city,
    doctor.administrator: _administrator,
    doctor.numbers: _numbers,
    doctor.first_call: _call,
}
