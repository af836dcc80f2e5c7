"""The hub's watch over itself: the wall of today, what did not go out, and who read what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from hotline import audit as log
from hotline.accounts import queries as accounts
from hotline.accounts.roles import HUB
from hotline.calls import queries as calls
from hotline.delivery import queries as deliveries
from hotline.delivery import service as delivery
from hotline.delivery.queries import Standing, Stuck
from hotline.gazetteer.queries import called_in_log
from hotline.imports import KINDS
from hotline.imports.tree import CHANNELS
from hotline.reports import queries as reports
from hotline.units.models import Unit
from hotline.web import pages
from hotline.web.access import roles, the_actor
from hotline.web.context import runtime, transaction
from hotline.web.idempotency import once
from hotline.web.words import CHANGES, KEY_ACTS
from hotline.work_orders import boards
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Status

bp = Blueprint("watch", __name__)

WATCHERS: Final = (*sorted(HUB), "LDR", "OBS", "ADM", "KBE")  # figures only: no order, no person's demand
MENDERS: Final = ("REV", "SUP", "ADM")
AUDITORS: Final = ("AUD",)
ACTS: Final = (
    {
        "reveal": "查看来电人信息",
        "erase": "删除来电人信息",
        "log_in": "登录",
        "set_password": "修改密码",
        "send_again": "重发通知",
        "drop_message": "通知不用再发",
        "knowledge.import": "导入知识",
        "knowledge.publish": "发布知识",
        "knowledge.submit": "提交知识审核",
        "knowledge.send_back": "退回知识",
        "knowledge.withdraw": "停用知识",
        "knowledge.restore": "恢复知识",
        "knowledge.drop": "放弃知识草稿",
        "knowledge.task_start": "着手知识任务",
        "knowledge.task_finish": "完成知识任务",
        "knowledge.task_drop": "不处理知识任务",
        "knowledge.task_reopen": "重开知识任务",
        "give_pin": "发给电话密码",
        "take_pin": "停用电话密码",
        "pin_locked": "电话密码输错锁定",
        "contact": "经热线联系群众",
        "read": "查阅",
        "seed_demo": "写入演示数据",
        "seed_demo_begun": "开始写入演示数据",
        "import": "导入",
    }
    | CHANGES
    | KEY_ACTS
)
SUBJECTS: Final = {
    "call": "通话",
    "caller": "来电人",
    "user": "人员",
    "outbox": "通知",
    "city": "城市数据",
    "kb_entries": "知识",
    "kb_tasks": "知识任务",
    "kb_synonym": "用语",
    "unit": "单位",
    "category": "分类",
    "responsibility_line": "责任清单",
    "place": "地名",
    "asset": "城市部件",
    "dialled_number": "接入号码",
    "deadline_profile": "时限方案",
    "city_day": "工作日历",
    "message_text": "短信文本",
    "duty_shift": "值班表",
} | {name: kind.title for name, kind in KINDS.items()}  # a file of a kind, imported at once
FIELDS: Final = {"phone": "电话", "name": "姓名", "contact": "联系方式", "email": "邮箱"}
AUDIT_PAGE: Final = 50
MESSAGES_PAGE: Final = 100
CAUSES_SHOWN: Final = 5
CHANNEL_WORDS: Final = {value: word for word, value in CHANNELS.items()}
TOPICS: Final = {
    "order.push": "推送工单",
    "order.pass_on": "改用备用方式推送",
    "sms.send": "短信",
    "call.connect": "接通来电",
    "call.hang_up": "挂断",
    "alarm.ring": "紧急拨打值班员",
    "contact.dial": "转接联系群众",
    "order.follow": "并入的工单随主单办理",
    "callback.open": "建立回访",
    "callback.withdraw": "撤销回访",
    "callback.dial": "回访拨打",
    "order.evaluated": "评价回写",
    "pin.locked": "电话密码锁定通知",
    "import.check": "检查导入文件",
    "import.write": "写入导入文件",
}
STANDINGS: Final = {
    Standing.TO_RETRY: "等待重试",
    Standing.FAILED: "不再自动重试",
    Standing.UNDELIVERED: "运营商未送达",
}


# ---- the wall


@bp.get("/board")
@roles(*WATCHERS)
def board() -> ResponseReturnValue:
    """Six numbers large enough for four metres, operators as tiles, orders by light. Figures only."""
    now, tz = runtime().now(), runtime().settings.tz
    with transaction() as session:
        today = reports.day_bounds(now.astimezone(tz).date(), tz)
        seats = [(user, presence) for user, presence in calls.operators(session) if presence.state != "offline"]
        template = "office/_board.html" if pages.is_htmx() else "office/board.html"
        return render_template(
            template,
            queue=calls.queue_now(session, now=now),
            figures=reports.queue_figures(session, *today),
            demands=reports.demand_figures(session, *today),
            lines=reports.hour_lines(session, now),
            to_dispatch=boards.waiting_in(session, Status.TO_REVIEW),
            lights=boards.lights(session, now),
            seats=seats,
            seats_by_state=Counter(presence.state for _, presence in seats).most_common(),
        )


# ---- messages


@bp.get("/messages")
@roles(*MENDERS)
def messages() -> ResponseReturnValue:
    """What did not go out, and why: by unit, channel and standing, with what many have in common first."""
    with transaction() as session:
        every = deliveries.stuck(session, now=runtime().now())
        found = _chosen(every)
        units = {unit.id: unit for unit in session.scalars(select(Unit).where(Unit.id.in_(_ids(every, "unit_id"))))}
        orders = session.scalars(select(WorkOrder).where(WorkOrder.id.in_(_ids(found, "order_id"))))
        causes = Counter(row.reason for row in found if row.next_try_at is None and row.outbox_id)
        return render_template(
            "office/messages.html",
            rows=found[:MESSAGES_PAGE],
            total=len(found),
            units=units,
            orders={order.id: order for order in orders},
            chips=_standing_chips(every),
            unit_options=[(unit.id, unit.name) for unit in sorted(units.values(), key=lambda unit: unit.code)],
            channel_options=[(one, CHANNEL_WORDS[one]) for one in sorted({row.channel for row in every} - {""})],
            channels=CHANNEL_WORDS,
            topics=TOPICS,
            causes=[(reason, number) for reason, number in causes.most_common(CAUSES_SHOWN) if number > 1],
            here=request.full_path.rstrip("?"),
            chosen={name: request.args.get(name, "") for name in ("show", "unit", "channel")},
        )


def _ids(rows: Sequence[Stuck], field: str) -> set[int]:
    return {getattr(row, field) for row in rows} - {None}


def _chosen(rows: Sequence[Stuck], *, whatever_standing: bool = False) -> list[Stuck]:
    """Return the rows that pass the filters of the address."""
    show, channel, unit = request.values.get("show"), request.values.get("channel"), request.values.get("unit")
    return [
        row
        for row in rows
        if (whatever_standing or not show or row.standing == show)
        and (not channel or row.channel == channel)
        and (not unit or str(row.unit_id) == unit)
    ]


def _standing_chips(rows: Sequence[Stuck]) -> list[dict[str, Any]]:
    counted = Counter(row.standing for row in _chosen(rows, whatever_standing=True))
    others: dict[str, Any] = {name: request.args[name] for name in ("unit", "channel") if request.args.get(name)}
    show = request.args.get("show", "")
    return [
        {
            "href": url_for("office.watch.messages", show=key or None, **others),
            "word": word,
            "count": counted[Standing(key)] if key else counted.total(),
            "on": show == key,
        }
        for key, word in (("", "全部"), *((standing.value, STANDINGS[standing]) for standing in Standing))
    ]


@bp.post("/messages/<int:outbox_id>/again")
@roles(*MENDERS)
def send_again(outbox_id: int) -> ResponseReturnValue:
    """A person has mended the cause: send it anew."""
    return _mend(outbox_id, delivery.send_again, "已重新排队发送")


@bp.post("/messages/<int:outbox_id>/drop")
@roles(*MENDERS)
def drop(outbox_id: int) -> ResponseReturnValue:
    """A person decides that it need not go out."""
    return _mend(outbox_id, delivery.drop, "已标为不用再发")


def _mend(outbox_id: int, verb: Callable[..., None], told: str) -> ResponseReturnValue:
    with transaction() as session:

        def act() -> ResponseReturnValue:
            verb(session, outbox_id=outbox_id, user_id=the_actor().user_id, now=runtime().now())
            pages.toast(told)
            return _back_to_messages()

        return once(session, act)


@bp.post("/messages/again")
@roles(*MENDERS)
def send_all_again() -> ResponseReturnValue:
    """The cause of many is mended: send all of that reason, within the filters, anew."""
    reason = request.form.get("reason", "")
    with transaction() as session:

        def act() -> ResponseReturnValue:
            now, found = runtime().now(), 0
            for row in _chosen(deliveries.stuck(session, now=now)):
                if row.reason == reason and row.next_try_at is None and row.outbox_id:
                    delivery.send_again(session, outbox_id=row.outbox_id, user_id=the_actor().user_id, now=now)
                    found += 1
            pages.toast(
                f"已重新排队发送 {found} 条" if found else "没有这一原因的消息了", tone="done" if found else "soon"
            )
            return _back_to_messages()

        return once(session, act)


def _back_to_messages() -> ResponseReturnValue:
    return pages.go(pages.local_path(request.form.get("back")) or url_for("office.watch.messages"))


# ---- who read what


@bp.get("/audit")
@roles(*AUDITORS)
def audit() -> ResponseReturnValue:
    """Who did and who read what, the newest first."""
    who, act = request.args.get("who", "").strip(), request.args.get("act", "")
    before = request.args.get("before", type=int)
    with transaction() as session:
        people = [user.id for user in accounts.called(session, who)] if who else None
        counts = log.counts(session, user_ids=people)
        rows = log.search(session, acts=[act] if act else [], user_ids=people, before_id=before, limit=AUDIT_PAGE + 1)
        names = accounts.named(session, [*(row.user_id for row in rows), *(_person(row) for row in rows)])
        more = len(rows) > AUDIT_PAGE
        rows = rows[:AUDIT_PAGE]
        chips = [
            {
                "href": url_for("office.watch.audit", who=who or None),
                "word": "全部",
                "count": sum(counts.values()),
                "on": not act,
            }
        ]
        chips += [
            {
                "href": url_for("office.watch.audit", who=who or None, act=one),
                "word": ACTS.get(one, one),
                "count": number,
                "on": one == act,
            }
            for one, number in sorted(counts.items(), key=lambda item: -item[1])
        ]
        return render_template(
            "office/audit.html",
            rows=[(row, names.get(row.user_id or 0), names.get(_person(row) or 0)) for row in rows],
            total=counts.get(act, 0) if act else sum(counts.values()),
            chips=chips,
            who=who,
            act=act,
            words={"acts": ACTS, "subjects": SUBJECTS, "fields": FIELDS},
            places=called_in_log(session, [row.subject_id for row in rows if row.subject == "place"]),
            newer=url_for("office.watch.audit", who=who or None, act=act or None) if before else None,
            older=url_for("office.watch.audit", who=who or None, act=act or None, before=rows[-1].id) if more else None,
        )


def _person(row: log.AccessLog) -> int | None:
    """Whom a row of the log is about; None when it is about no member of staff."""
    return int(row.subject_id) if row.subject == "user" and row.subject_id.isdecimal() else None
