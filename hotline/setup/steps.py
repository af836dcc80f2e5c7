"""What can be mended from here, by the check that found it missing."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import click
from sqlalchemy import select

from hotline import bootstrap, doctor
from hotline.accounts import service as accounts
from hotline.accounts.roles import Role
from hotline.bootstrap import Runtime
from hotline.calls.models import DialledNumber
from hotline.calls.numbers import put_number
from hotline.config import Settings
from hotline.db import session_scope
from hotline.demo import city
from hotline.errors import HotlineError, Invalid
from hotline.imports import KINDS, Kind, Rows, preview, read, run, write_codes, write_refused
from hotline.migrations import run as migrations
from hotline.setup.asking import Asking, WrongAnswer
from hotline.setup.call import first_call
from hotline.setup.env import EnvFile, exchange_command
from hotline.speech.models import OFFICIAL, ModelFault, check_model, install, install_from

GREETING: Final = "您好，这里是{name}，为了保证服务质量，您的通话将被录音。"
SHOWN: Final = 5
EVERY_S: Final = 0.5
DEMO: Final = "demo"


@dataclass
class Site:
    """The installation being set up."""

    file: EnvFile
    runtime: Runtime
    ask: Asking
    wait_s: float

    def renew(self) -> None:
        """Work with the settings as they are in the file now."""
        self.runtime.close()
        self.runtime = bootstrap.build(self.file.settings())


def make_tables(site: Site) -> bool:
    """Make or renew the tables; data that stand there already are touched only when a person says so."""
    url = site.runtime.settings.database_url
    if migrations.current(url) is not None and not site.ask.may(
        "upgrade", "数据库里已有旧版本的表，现在更新？（请先备份）", default=True, unasked=True
    ):
        return False
    migrations.upgrade(url)
    return True


# ---- the city's own files


def bring_units(site: Site) -> bool:
    """Import the file of units, or the demo city where a person writes ``demo``."""

    def check(said: str) -> Rows | None:
        return None if said == DEMO else _rows(said)

    if site.ask.yes and "units" not in site.ask.given:
        return False
    while True:
        rows = site.ask.word("units", "承办单位文件（CSV 等；写 demo 用演示城市）", check=check)
        if rows is None:
            if _demo(site):
                return True
        elif _import(site, KINDS["units"], rows):
            return True


def _demo(site: Site) -> bool:
    password = secrets.token_urlsafe(9)
    try:
        city.seed(site.runtime.sessions, password=password, now=site.runtime.now())
    except HotlineError as fault:
        click.echo(f"  {fault}")
        return False
    click.echo(f"  演示城市已写入；每个演示用户的密码（只显示这一次）：{password}")
    return True


def bring(kind: str, question: str, default: str | None = None) -> Callable[[Site], bool]:
    """Return the step that asks for a file of a kind until one is imported."""

    def step(site: Site) -> bool:
        if site.ask.yes and kind not in site.ask.given and default is None:
            return False
        while not _import(site, KINDS[kind], site.ask.word(kind, question, check=_rows, default=default)):
            pass
        return True

    return step


def _rows(said: str) -> Rows:
    path = Path(said).expanduser()
    if not path.is_file():
        raise WrongAnswer(f"没有文件 {path}")
    try:
        return read(path, path.name)
    except Invalid as fault:
        raise WrongAnswer(fault.message) from fault


def _import(site: Site, kind: Kind, rows: Rows) -> bool:
    """Look through a file, show what is refused, write the rest; False when a person mends the file first."""
    now = site.runtime.now()
    assert isinstance(rows.source, Path)  # read from a path above
    try:
        with site.runtime.sessions() as session:
            seen = preview(session, kind, rows)
    except Invalid as fault:
        if site.ask.yes:
            raise
        click.echo(f"  {fault.message}")
        return False
    if seen.refused:
        lines = len({one.line for one in seen.refused})
        click.echo(f"  {kind.title}：{lines} 行有问题")
        for one in seen.refused[:SHOWN]:
            click.echo(f"    第 {one.line} 行 {one.column}：{one.reason}")
        beside = rows.source.with_name(f"{rows.name}.refused.csv")
        write_refused(kind, rows, seen.refused, beside)
        click.echo(f"    都在 {beside}")
        good = seen.new + seen.changed + seen.unchanged
        if not site.ask.may(
            f"{kind.name}_partly", f"先导入其余 {good} 行（n：改好文件再来）？", default=False, unasked=True
        ):
            return False
    done = run(site.runtime.sessions, kind, rows, actor=accounts.SYSTEM, now=now)
    click.echo(f"  {kind.title}：新增 {done.new}，修改 {done.changed}，未变 {done.unchanged}")
    if done.codes:
        click.echo(f"  首次登录码（请分发后删除）：{write_codes(done.codes, rows.source)}")
    return True


# ---- single things


def make_administrator(site: Site) -> bool:
    """Create the first administrator and show their code once."""

    def check(said: str) -> str:
        try:
            with session_scope(site.runtime.sessions) as session:
                _, code = accounts.put_user(
                    session,
                    actor=accounts.SYSTEM,
                    now=site.runtime.now(),
                    username=said,
                    display_name="系统管理员",
                    role=Role.ADM.value,
                )
        except HotlineError as fault:
            raise WrongAnswer(fault.message) from fault
        if code is not None:
            click.echo(f"  {said} 的首次登录码（只显示这一次）：{code}")
        return said

    site.ask.word("admin", "系统管理员的用户名", check=check, default="adm")
    return True


def greet(site: Site) -> bool:
    """Give every number of the settings a name and a greeting."""
    with session_scope(site.runtime.sessions) as session:
        there = set(session.scalars(select(DialledNumber.number).where(DialledNumber.active)))
    for number in site.runtime.settings.numbers:
        if number in there:
            continue
        name = site.ask.word(f"name_{number}", f"{number} 的名称", check=_filled, default=f"{number}政务服务便民热线")
        greeting = site.ask.word(f"greeting_{number}", "问候语", check=_filled, default=GREETING.format(name=name))
        with session_scope(site.runtime.sessions) as session:
            put_number(
                session, actor=accounts.SYSTEM, now=site.runtime.now(), number=number, name=name, greeting=greeting
            )
    return True


def _filled(said: str) -> str:
    if not said:
        raise WrongAnswer("不能为空")
    return said


def bring_model(site: Site) -> bool:
    """Install a speech model, or name one that lies here; an empty answer leaves it for later."""
    into = site.runtime.settings.data_dir / "models"

    def check(said: str) -> Path | None:
        try:
            if not said:
                return None
            if said in OFFICIAL:
                return install(said, into)
            path = Path(said).expanduser()
            if path.is_dir():
                return check_model(path)
            md5 = site.ask.word("speech_md5", "发布者列出的这个 zip 的 MD5", check=_filled)
            return install_from(path, into, md5=md5)
        except ModelFault as fault:
            raise WrongAnswer(str(fault)) from fault

    question = "语音模型：small-cn（下载 42 MB）、cn（1.3 GB）、模型文件夹或下载好的 zip；回车以后再说"
    model = site.ask.word("speech", question, check=check, default="")
    if model is None:
        return False
    site.file.keep("HOTLINE_SPEECH_MODEL", str(model.resolve()))
    site.renew()
    return True


# ---- what runs


def wait_for(key: str, *, started_by: Callable[[Settings], str]) -> Callable[[Site], bool]:
    """Return the step that says what to start and waits until the check finds it."""

    def step(site: Site) -> bool:
        check = doctor.BY_KEY[key]
        click.echo(
            f"  等{check.chinese}启动；请在另一个窗口、同一个目录运行：\n    {started_by(site.runtime.settings)}"
        )
        limit = time.monotonic() + site.wait_s
        told = ""
        while not (found := doctor.look(site.runtime, check)).good and time.monotonic() < limit:
            if found.seen.chinese != told:  # what is there already, what is not
                told = found.seen.chinese
                click.echo(f"    {told}")
            time.sleep(EVERY_S)
        return True

    return step


def wait_for_carrier(site: Site) -> bool:
    """Wait for the exchange of this machine; at a carrier somebody has to mend what it refuses."""
    if not site.runtime.settings.twilio_api_url:
        return False
    return wait_for("carrier", started_by=exchange_command)(site)


def programs_command(settings: Settings) -> str:
    """Return the command that starts every program of ours."""
    small = settings.stream_url.startswith("ws://")  # no proxy in front
    return ".venv/bin/honcho -f Procfile.small start" if small else "make run"


def call(site: Site) -> bool:
    """See the first call through."""
    return first_call(site.runtime, site.ask, site.wait_s)


BRING_USERS: Final = bring("users", "人员文件（话务员、派单员、回访员、各单位经办人）")
MENDS: Final[Mapping[str, Callable[[Site], bool]]] = {
    "tables": make_tables,
    "carrier": wait_for_carrier,
    "hub": bring_units,
    "units": bring_units,
    "operators": BRING_USERS,
    "dispatchers": BRING_USERS,
    "callbacks": BRING_USERS,
    "administrator": make_administrator,
    "categories": bring("categories", "问题分类文件（回车用随附的常用分类）", str(city.CATEGORIES)),
    "numbers": greet,
    "speech": bring_model,
    "web": wait_for("web", started_by=programs_command),
    "workers": wait_for("workers", started_by=programs_command),
    "call": call,
}
