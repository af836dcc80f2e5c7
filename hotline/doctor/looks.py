"""One look at each thing an installation needs. None raises for what it looks at; none dials or sends."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import redis
import requests
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from rq import Queue, Worker
from sqlalchemy import func, inspect, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from hotline.accounts.models import User
from hotline.accounts.queries import persons
from hotline.accounts.roles import Role
from hotline.callers.models import Caller
from hotline.calls.models import Call, DialledNumber
from hotline.db import UnreadableError, session_scope
from hotline.doctor.seen import Seen, missing, ok, warn
from hotline.knowledge_base.models import Entry
from hotline.knowledge_base.states import EntryState
from hotline.outbox import OutboxMessage
from hotline.queues import ALL
from hotline.speech.models import ModelFault, check_model
from hotline.telephony.base import CarrierRefused, CarrierUnreachable
from hotline.units import queries as units
from hotline.units import versions
from hotline.units.models import HUB_TIER, Category, Unit

if TYPE_CHECKING:  # bootstrap names every adapter; a look needs only the shape of what it built
    from hotline.bootstrap import Runtime

PATIENCE_S: Final = 2.0
LATE: Final = timedelta(minutes=1)
NAMED_AT_MOST: Final = 5
# read as files: the module that runs them knows every table, those of the pages too
MIGRATIONS: Final = Path(__file__).parents[1] / "migrations"


def reading(look: Callable[[Session, Runtime], Seen]) -> Callable[[Runtime], Seen]:
    """Give a look a transaction of its own, over before the next one asks the network."""

    @functools.wraps(look)
    def looked(runtime: Runtime) -> Seen:
        with session_scope(runtime.sessions) as session:
            return look(session, runtime)

    return looked


# ---- settings and what they name


def address(runtime: Runtime) -> Seen:
    """The carrier can reach the public address."""
    url = runtime.settings.public_url
    if url.startswith("https://"):
        return ok(url, url)
    if _is_this_machine(urlsplit(url).hostname or ""):
        if runtime.settings.twilio_api_url:
            return ok(f"{url}（本机交换机）", f"{url} (with an exchange on this machine)")
        return missing(f"{url} 只有本机能打开，运营商打不进来", f"{url} is this machine alone: no carrier reaches it")
    return warn(f"{url} 没有加密，浏览器不会给耳机用麦克风", f"{url} has no TLS: browsers refuse a microphone there")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def database(runtime: Runtime) -> Seen:
    """The database answers."""
    try:
        with runtime.engine.connect() as connection:
            kind = connection.dialect.name
    except SQLAlchemyError as fault:
        told = str(fault).splitlines()[0]
        return missing(f"连不上：{told}", f"does not answer: {told}")
    return ok(f"{kind}，可以连接", f"{kind} answers")


def tables(runtime: Runtime) -> Seen:
    """The tables are those of this version."""
    newest = ScriptDirectory(str(MIGRATIONS)).get_current_head()
    with runtime.engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        there = inspect(connection).has_table(User.__tablename__)
    if current == newest:
        return ok(f"版本 {current}", f"at {current}, the newest")
    if there and current is None:
        return warn("有表，但不知道是哪个版本", f"there, but of no known version; newest {newest}")
    if current is None:
        return missing("还没有表", f"there are none; newest {newest}")
    return missing(f"版本 {current}，应为 {newest}", f"at {current}, newest {newest}")


@reading
def keys(session: Session, _runtime: Runtime) -> Seen:
    """The data keys open what is written."""
    newest = (
        select(Caller.phone).where(Caller.phone.is_not(None)).order_by(Caller.id.desc()),
        select(Unit.duty_phone).where(Unit.duty_phone.is_not(None)).order_by(Unit.id.desc()),
    )
    try:
        opened = [session.scalar(one.limit(1)) for one in newest]
    except UnreadableError as fault:
        return missing("数据库里的号码用现在的密钥打不开", f"what the database holds cannot be read: {fault}")
    if any(opened):
        return ok("能读出已存的数据", "they open what is stored")
    return ok("已设置，还没有加密的数据", "set; nothing is encrypted yet")


def pushes(runtime: Runtime) -> Seen:
    """Redis answers."""
    if not runtime.settings.redis_url:
        return missing("没有设置，电话接不到话务员，通知发不出去", "not set: no operator is rung, nothing is sent")
    try:
        _redis(runtime).ping()
    except redis.RedisError as fault:
        return missing(f"连不上：{fault}", f"does not answer: {fault}")
    return ok("可以连接", "answers")


def _redis(runtime: Runtime) -> redis.Redis:
    return redis.Redis.from_url(
        runtime.settings.redis_url, socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S
    )


def carrier(runtime: Runtime) -> Seen:
    """The carrier answers and takes our token; nothing is dialled or sent."""
    where = runtime.settings.twilio_api_url
    try:
        runtime.telephony.find_message(to="+8619900000001", body="hotline doctor")
    except CarrierUnreachable as fault:
        return missing(f"{where or '运营商'} 没有应答", f"{where or 'the carrier'} does not answer: {fault}")
    except CarrierRefused as fault:
        return missing("运营商不认这个账号或令牌", f"refuses the account or token: {fault}")
    return ok(f"{where or '运营商'}，账号有效", f"{where or 'the carrier'} takes our token")


# ---- who answers


@reading
def hub(session: Session, _runtime: Runtime) -> Seen:
    """The hub is there: everything else stands under it."""
    name = session.scalar(select(Unit.name).where(Unit.tier == HUB_TIER, Unit.active).limit(1))
    return ok(name, f"{name} is there") if name else missing("还没有，其他单位都在它下面", "there is none")


@reading
def leading(session: Session, _runtime: Runtime) -> Seen:
    """At least one unit takes orders."""
    count = len(units.units_of_tier(session, HUB_TIER + 1))
    if not count:
        return missing("至少要一个区县、部门或企业", "none takes orders")
    return ok(f"{count} 个", f"{count}")


def somebody(role: Role, chinese: str, english: str) -> Callable[[Runtime], Seen]:
    """Return the look for people with a role; the words say what happens without one."""

    @reading
    def look(session: Session, _runtime: Runtime) -> Seen:
        wanted = select(User.username).where(User.role == role, User.active, persons()).order_by(User.username)
        names = session.scalars(wanted).all()
        if not names:
            return missing(chinese, english)
        return ok(f"{len(names)} 位", _few(names, ", "))

    return look


@reading
def operators(session: Session, _runtime: Runtime) -> Seen:
    """Somebody answers calls: an operator whose telephone has an address."""
    wanted = select(User.username).where(User.role == Role.OPR, User.active, User.seat != "").order_by(User.username)
    names = session.scalars(wanted).all()
    if not names:
        return missing("至少一位话务员，并填写坐席号", "no operator has a seat")
    return ok(f"{len(names)} 位有坐席号", _few(names, ", "))


@reading
def clerks(session: Session, _runtime: Runtime) -> Seen:
    """Every unit of tier 2 has somebody who signs."""
    silent = [one.name for one in units.units_of_tier(session, HUB_TIER + 1) if not units.has_active_user(session, one)]
    if not silent:
        return ok("每个二级单位都有人", "every unit of tier 2 has somebody")
    return warn(f"没有经办人：{_few(silent, '、')}", f"nobody signs at {_few(silent, ', ')}")


@reading
def channels(session: Session, runtime: Runtime) -> Seen:
    """Every unit can be told by the channels it has chosen; one that cannot is told by the portal alone."""
    mail = bool(runtime.settings.smtp_url and runtime.settings.mail_from)
    usable: dict[str, Callable[[Unit], bool]] = {
        "webhook": lambda unit: bool(unit.webhook_url and unit.webhook_secret),
        "email": lambda unit: mail and bool(unit.email),
        "sms": lambda unit: bool(unit.duty_phone),
    }
    chosen = [(unit, [name for name in unit.channels if name in usable]) for unit in units.active_units(session)]
    silent = [unit.name for unit, names in chosen if not all(usable[name](unit) for name in names)]
    if silent:
        return warn(f"发不出去：{_few(silent, '、')}", f"cannot be told as chosen: {_few(silent, ', ')}")
    pushed = sum(bool(names) for _, names in chosen)
    if not pushed:
        return ok("各单位都用工作台收件箱", "every unit reads its inbox")
    return ok(f"{pushed} 个单位另有推送", f"{pushed} units are pushed to")


def _few(names: Sequence[str], between: str) -> str:
    rest = len(names) - NAMED_AT_MOST
    return between.join(names[:NAMED_AT_MOST]) + (f" +{rest}" if rest > 0 else "")


# ---- what they work with


@reading
def categories(session: Session, _runtime: Runtime) -> Seen:
    """Operators have kinds of matter to choose from."""
    count = session.scalar(select(func.count()).select_from(Category).where(Category.active))
    return (
        ok(f"{count} 个", f"{count}") if count else missing("话务员要给每件诉求选分类", "operators have none to choose")
    )


@reading
def responsibility(session: Session, runtime: Runtime) -> Seen:
    """A responsibility list is in force."""
    version = versions.version_in_force(session, on=runtime.today())
    if version is None:
        return warn("没有施行中的版本，派单时不会推荐单位", "none in force: dispatchers are shown no unit")
    return ok(f"{version} 版正在施行", f"{version} is in force")


@reading
def knowledge(session: Session, _runtime: Runtime) -> Seen:
    """Operators are shown answers."""
    count = session.scalar(select(func.count()).select_from(Entry).where(Entry.state == EntryState.PUBLISHED))
    return (
        ok(f"{count} 条", f"{count} entries")
        if count
        else warn("没有，话务员看不到建议答案", "empty: no answers shown")
    )


@reading
def numbers(session: Session, runtime: Runtime) -> Seen:
    """Every number of the settings has its greeting."""
    there = set(session.scalars(select(DialledNumber.number).where(DialledNumber.active)))
    served = runtime.settings.numbers
    bare = [number for number in served if number not in there]
    if bare:
        return missing(f"{'、'.join(bare)} 还没有问候语", f"no greeting for {', '.join(bare)}")
    return ok("、".join(served), ", ".join(served))


def speech(runtime: Runtime) -> Seen:
    """The speech model is whole."""
    try:
        model = check_model(runtime.settings.speech_model)
    except ModelFault as fault:
        return warn("没有可用的语音模型；电话照常接，只是没有文字", str(fault))
    return ok(model.name, str(model))


def calendar(runtime: Runtime) -> Seen:
    """Next year's days off are known."""
    year = runtime.now().astimezone(runtime.settings.tz).year + 1
    first = runtime.today().replace(year=year, month=1, day=1)
    with session_scope(runtime.sessions):  # the city's own days are read as it begins
        provisional = runtime.calendar.day(first).provisional
    if provisional:
        return warn(
            f"{year}年放假安排还没有，跨年的时限先标为暂定",
            f"days off of {year} are not known: deadlines are provisional",
        )
    return ok(f"{year}年放假安排已有", f"days off of {year} are known")


# ---- what runs


def web(runtime: Runtime) -> Seen:
    """The hotline itself answers at its public address."""
    url = f"{runtime.settings.public_url}/healthz"
    try:
        answer = requests.get(url, timeout=PATIENCE_S)
    except requests.RequestException as fault:
        return missing(f"{url} 没有应答", f"{url} does not answer ({type(fault).__name__})")
    if not answer.ok:
        return missing(f"{url} 回答 {answer.status_code}", f"{url} says {answer.status_code}")
    return ok("在运行", "runs")


def workers(runtime: Runtime) -> Seen:
    """Somebody works on every queue, and what is to be sent leaves."""
    try:
        client = _redis(runtime) if runtime.settings.redis_url else None
        idle = [name for name in ALL if client is None or not Worker.all(queue=Queue(name, connection=client))]
    except redis.RedisError:
        idle = list(ALL)
    if idle:
        told = ", ".join(idle)
        return missing(f"没有在运行：{told}。电话接不到话务员", f"nobody works on {told}: no operator is rung")
    with session_scope(runtime.sessions) as session:
        due = runtime.now() - LATE
        waiting = select(func.count()).where(OutboxMessage.settled_at.is_(None), OutboxMessage.next_try_at < due)
        late = session.scalar(waiting)
    if late:
        return warn(f"{late} 件超过一分钟还没发出，请看 relay", f"{late} messages are late: look at the relay")
    return ok("每个队列都有", "every queue has one")


@reading
def first_call(session: Session, _runtime: Runtime) -> Seen:
    """A call has been answered."""
    answered = session.scalar(select(Call.id).where(Call.answered_at.is_not(None)).limit(1))
    if answered is not None:
        return ok("已接听过", "one was answered")
    if session.scalar(select(Call.id).limit(1)) is not None:
        return warn("有电话进来，还没有人接听过", "calls came, none was answered yet")
    return warn("还没有电话进来", "none came yet")
