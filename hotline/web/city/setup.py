"""What still stands between this city and its first call: every step looked at anew, with what to do."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.models import User
from hotline.calls.models import DialledNumber
from hotline.knowledge_base.models import Entry
from hotline.knowledge_base.states import EntryState
from hotline.speech.models import ModelFault, check_model
from hotline.units import queries as units
from hotline.units import versions
from hotline.units.models import HUB_TIER, Category, Unit
from hotline.web.access import roles
from hotline.web.city.views import KEEPERS, today
from hotline.web.context import runtime, transaction

bp = Blueprint("setup", __name__, url_prefix="/setup")


@dataclass(frozen=True, slots=True)
class Step:
    """One step: done or not, in words, and where to do it. ``needed``: without it no call can be served."""

    title: str
    done: bool
    words: str
    href: str | None = None
    go: str = ""
    needed: bool = True


@bp.get("")
@roles(*KEEPERS)
def checks() -> ResponseReturnValue:
    """Every step with a tick or with what to do."""
    with transaction() as session:
        steps = [*_people_and_units(session), *_lists(session), *_calls(session)]
    steps += _around()
    missing = [step for step in steps if step.needed and not step.done]
    return render_template("city/setup.html", steps=steps, missing=len(missing), following=next(iter(missing), None))


def _people_and_units(session: Session) -> list[Step]:
    hub = session.scalar(select(Unit.name).where(Unit.tier == HUB_TIER))
    leading = units.units_of_tier(session, HUB_TIER + 1)
    silent = [unit.name for unit in leading if not units.has_active_user(session, unit)]
    roles_there = set(session.scalars(select(User.role).where(User.active).distinct()))
    seats = session.scalars(select(User.id).where(User.role == "OPR", User.active, User.seat != "")).all()
    people = url_for("office.city.users_listed")
    tree = url_for("office.city.units_listed")
    return [
        Step("热线中心", bool(hub), hub or "先建热线中心，其他单位都在它下面。", tree, "去建"),
        Step(
            "二级单位", bool(leading), f"{len(leading)} 个" if leading else "至少建一个区县、部门或企业。", tree, "去建"
        ),
        Step(
            "话务员",
            bool(seats),
            f"{len(seats)} 位有坐席号" if seats else "至少一位话务员，并填写坐席号。",
            people,
            "去建",
        ),
        Step(
            "派单员",
            "REV" in roles_there,
            "已有" if "REV" in roles_there else "没有人派单，工单会停在待派单。",
            people,
            "去建",
        ),
        Step(
            "回访员",
            "CBK" in roles_there,
            "已有" if "CBK" in roles_there else "没有人回访，工单不能办结。",
            people,
            "去建",
        ),
        Step(
            "单位有人签收",
            bool(leading) and not silent,
            f"没有经办人：{'、'.join(silent[:5])}{'等' if len(silent) > 5 else ''}" if silent else "每个二级单位都有人",
            url_for("office.city.units_listed", show="silent"),
            "去看",
        ),
    ]


def _lists(session: Session) -> list[Step]:
    categories = session.scalar(select(Category.id).where(Category.active).limit(1)) is not None
    version = versions.version_in_force(session, on=today())
    knows = session.scalar(select(Entry.id).where(Entry.state == EntryState.PUBLISHED).limit(1)) is not None
    return [
        Step(
            "问题分类",
            categories,
            "已有" if categories else "话务员要给每件诉求选分类。",
            url_for("office.city.categories_listed"),
            "去建",
        ),
        Step(
            "责任清单",
            version is not None,
            f"{version} 版正在施行" if version else "没有施行中的版本，派单时不会推荐单位。",
            url_for("office.city.responsibility_listed"),
            "去建",
            needed=False,
        ),
        Step(
            "知识",
            knows,
            "已有发布的知识"
            if knows
            else "在服务器上运行 hotline kb import 文件.jsonl；没有知识，话务员看不到建议答案。",
            needed=False,
        ),
    ]


def _calls(session: Session) -> list[Step]:
    known = set(session.scalars(select(DialledNumber.number).where(DialledNumber.active)))
    served = runtime().settings.numbers
    without = [number for number in served if number not in known]
    return [
        Step(
            "热线号码",
            bool(served) and not without,
            f"{'、'.join(without)} 还没有问候语" if without else "、".join(served),
            url_for("office.city.numbers_listed"),
            "去建",
        )
    ]


def _around() -> list[Step]:
    settings = runtime().settings
    try:
        model, hears = str(check_model(settings.speech_model).name), True
    except ModelFault:
        model, hears = "没有语音模型：在服务器上运行 hotline speech install small-cn。电话照常接，只是没有文字。", False
    next_year = today().replace(year=today().year + 1, month=1, day=1)
    published = not runtime().calendar.day(next_year).provisional
    return [
        Step(
            "电话线路",
            bool(settings.twilio_account_sid and settings.twilio_auth_token),
            "已设置线路账号" if settings.twilio_account_sid else "在 .env 里填写 HOTLINE_TWILIO_ACCOUNT_SID 和令牌。",
        ),
        Step(
            "消息队列",
            bool(settings.redis_url),
            "已设置" if settings.redis_url else "在 .env 里填写 HOTLINE_REDIS_URL；没有它，通知发不出去。",
        ),
        Step("语音识别", hears, model, needed=False),
        Step(
            f"{next_year.year}年日历",
            published,
            "公共日历已公布" if published else "放假安排还没有公布，跨年的时限先标为暂定；公布后更新或在日历里填。",
            url_for("office.city.days.month", month=f"{next_year:%Y-%m}"),
            "去看",
            needed=False,
        ),
    ]
