"""Users, on their pages: roles, first log-in, lock."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, ClassVar

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from hotline.accounts import service as accounts
from hotline.accounts.models import User
from hotline.accounts.queries import PROGRAM, last_administrator, persons
from hotline.accounts.roles import HUB, UNITS
from hotline.accounts.service import Actor
from hotline.errors import NotAllowedNow, NotFound
from hotline.imports.parts import Writing
from hotline.imports.people import ROLE_WORDS
from hotline.imports.uses import retire_user, uses_of_user
from hotline.units.models import Unit
from hotline.web.access import roles, the_actor, when
from hotline.web.city.kinds import Column, Filter, Kind, Look, Place
from hotline.web.city.units import unit_choices
from hotline.web.city.views import KEEPERS
from hotline.web.context import transaction
from hotline.web.idempotency import once
from hotline.web.words import ROLES

bp = Blueprint("people", __name__)


def _state(row: User) -> str:
    if not row.active:
        return "停用"
    return "还没登录过" if row.must_set_password else "启用"


class Users(Kind[User]):
    """Users."""

    key = "users"
    word = "人员"
    icon = "people"
    note = "每个人一个账号；新账号得到一个只显示一次的首次登录码，第一次登录时自己设密码"
    empty = "先建一位派单员、几位话务员和每个单位的经办人；也可以一次导入。"
    subject = "user"
    model = User
    order = (User.username,)
    searched = (User.username, User.display_name)
    search_hint = "用户名、姓名或单位，按 / 直接输入"
    columns = (
        Column("姓名", lambda row: row.display_name),
        Column("用户名", lambda row: row.username, fit=True),
        Column("岗位", lambda row: ROLES[row.role], fit=True),
        Column("坐席号", lambda row: row.seat, fit=True),
        Column("状态", _state, fit=True),
    )
    filters = (
        Filter("hub", "热线中心", lambda: User.role.in_(sorted(HUB))),
        Filter("units", "承办单位", lambda: User.role.in_(sorted(UNITS))),
        Filter("keepers", "管理员", lambda: User.role.in_(("ADM", "SEC", "AUD"))),
        Filter("new", "还没登录过", lambda: User.must_set_password & User.active),
        Filter("off", "已停用", lambda: ~User.active),
    )
    looks: ClassVar = {
        "role": Look("select", words=ROLE_WORDS),
        "unit": Look("select", lambda session: unit_choices(session, tiers=(1, 2, 3), none="不属于承办单位")),
    }
    fixed = ("username",)
    form_template = "city/user.html"

    def select(self, text: str = "", show: str = "") -> Select[Any]:
        """Return people only; a unit's code or name finds its people too."""
        wanted = super().select("", show).where(persons())
        if text:
            at = select(Unit.id).where(or_(Unit.code == text, Unit.name.contains(text, autoescape=True)))
            hits = [column.contains(text, autoescape=True) for column in self.searched]
            wanted = wanted.where(or_(*hits, User.unit_id.in_(at)))
        return wanted

    def title(self, row: User) -> str:
        """Return their name."""
        return row.display_name

    def subject_id(self, row: User) -> str:
        """Return their user name."""
        return row.username

    def is_on(self, row: User) -> bool:
        """Whether they may log in."""
        return row.active

    def uses(self, session: Session, row: User) -> Sequence[Place]:
        """Return what they are in the middle of."""
        return [Place(use) for use in uses_of_user(session, row)]

    def kept_because(self, session: Session, row: User) -> str:
        """Keep oneself and the last administrator."""
        if row.id == the_actor().user_id:
            return "不能删除自己"
        return accounts.LAST_ADMINISTRATOR if last_administrator(session) == row.username else ""

    def choices(self, session: Session) -> dict[str, dict[str, str]]:
        """Return the words of roles and units; the log of changes names a unit by its id."""
        names = {str(unit_id): name for unit_id, name in session.execute(select(Unit.id, Unit.name))}
        return {"role": {value: word for word, value in ROLE_WORDS.items()}, "unit_id": names}

    @property
    def words(self) -> dict[str, str]:
        """Return the word of every field a change may name."""
        return self.told.titles | {"unit_id": "单位"}

    def after_new(self, row: User, writing: Writing) -> ResponseReturnValue:
        """Show the code of the first log-in, this once."""
        return _code_page(row, writing.codes[row.username])

    def retire(self, session: Session, row: User, *, actor: Actor, now: datetime) -> None:
        """Let them log in no more."""
        if row.id == actor.user_id:
            raise NotAllowedNow("不能停用自己")
        retire_user(session, user=row, actor=actor, now=now)


@bp.post("/users/<int:row_id>/code")
@roles(*KEEPERS)
def give_code(row_id: int) -> ResponseReturnValue:
    """Give a new first-log-in code: the old password and every log-in end."""
    with transaction() as session:

        def act() -> ResponseReturnValue:
            row = session.get(User, row_id)
            if row is None or row.username.startswith(PROGRAM):
                raise NotFound("没有这个人员")
            if row.id == the_actor().user_id:
                raise NotAllowedNow("自己的密码请在右上角修改")
            return _code_page(row, accounts.give_code(session, user=row, **when()))

        return once(session, act)


def _code_page(row: User, code: str) -> str:
    back = url_for("office.city.users_listed")
    return render_template("city/code.html", row=row, code=code, back=back)
