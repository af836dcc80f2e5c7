"""People who log in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts import service as accounts
from hotline.accounts.models import User
from hotline.accounts.queries import last_administrator
from hotline.accounts.roles import TIER_2, TIER_3, UNITS, Role
from hotline.imports.parts import Column, Fault, Kind, Table, Values, Writing, choice, code, flag, text
from hotline.imports.uses import described, retiring_fault, uses_of_user
from hotline.units.models import Unit

ROLE_WORDS: Final = {
    "话务员": Role.OPR.value,
    "派单员": Role.REV.value,
    "回访员": Role.CBK.value,
    "督办员": Role.SUP.value,
    "会商组": Role.ADJ.value,
    "二级单位经办": Role.U2.value,
    "二级单位负责人": Role.U2L.value,
    "三级单位经办": Role.U3.value,
    "三级单位负责人": Role.U3L.value,
    "值班员": Role.DTY.value,
    "知识库管理员": Role.KBE.value,
    "市领导": Role.LDR.value,
    "群众监督员": Role.OBS.value,
    "系统管理员": Role.ADM.value,
    "安全管理员": Role.SEC.value,
    "审计管理员": Role.AUD.value,
}
TIER_OF: Final = dict.fromkeys(TIER_2, 2) | dict.fromkeys(TIER_3, 3)


class UserTable(Table):
    """Users by user name, their units by code."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        rows = session.execute(select(Unit.code, Unit.id, Unit.tier)).all()
        self._units = {row.code: (row.id, row.tier) for row in rows}
        self._codes = {row.id: row.code for row in rows}
        self._last_administrator = last_administrator(session)

    def key(self, values: Values) -> str:
        return str(values["username"])

    def present(self, rows: Sequence[Values]) -> Mapping[str, Values]:
        wanted = select(User).where(User.username.in_([values["username"] for values in rows]))
        return {
            user.username: {
                "username": user.username,
                "display_name": user.display_name,
                "role": user.role,
                "unit": self._codes.get(user.unit_id or 0, ""),
                "seat": user.seat,
                "active": user.active,
            }
            for user in self.session.scalars(wanted)
        }

    def faults(self, values: Values, before: Values | None) -> Iterator[Fault]:
        role, unit = values["role"], values["unit"]
        if unit and unit not in self._units:
            yield Fault("unit", f"没有编号为 {unit} 的单位")
        elif role in UNITS and not unit:
            yield Fault("unit", "承办单位人员请填写单位编号")
        elif role in TIER_OF and self._units[unit][1] != TIER_OF[role]:
            yield Fault("role", f"{unit} 不是{'二级' if TIER_OF[role] == 2 else '三级'}单位")
        if (role != Role.ADM or not values["active"]) and self._last_administrator == values["username"]:
            yield Fault("role" if role != Role.ADM else "active", accounts.LAST_ADMINISTRATOR)
        yield from retiring_fault(values, before, lambda: self._uses(values["username"]))

    def _uses(self, username: str) -> str:
        user = self.session.scalar(select(User).where(User.username == username))
        return described(uses_of_user(self.session, user)) if user else ""

    def write(self, values: Values, before: Values | None, writing: Writing) -> None:
        fields = {name: value for name, value in values.items() if name != "unit"}
        unit_id = self._units[values["unit"]][0] if values["unit"] else None
        _, first = accounts.put_user(self.session, actor=writing.actor, now=writing.now, unit_id=unit_id, **fields)
        if first is not None:
            writing.codes[values["username"]] = first


USERS: Final = Kind(
    name="users",
    subject="user",
    title="人员",
    help="新人员会得到一个只显示一次的登录码；第一次登录必须自己设置密码。",
    columns=(
        Column("username", "用户名", "登录用，不重复，40 个字以内", code(40), required=True),
        Column("display_name", "姓名", "页面上显示的名字", text(40), required=True),
        Column("role", "岗位", "、".join(ROLE_WORDS), choice(ROLE_WORDS), required=True),
        Column("unit", "单位编号", "承办单位人员必填", code()),
        Column("seat", "坐席号", "接电话的人员填写，如 seat01", code()),
        Column("active", "启用", "是（默认）或否", flag, default=True),
    ),
    example={
        "username": "op01",
        "display_name": "话务员01",
        "role": "话务员",
        "unit": "",
        "seat": "seat01",
        "active": "是",
    },
    begin=UserTable,
)
