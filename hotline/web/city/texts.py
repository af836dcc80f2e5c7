"""The words of messages: the shipped ones, the city's own, and how one looks on a telephone."""

from __future__ import annotations

from typing import Final

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from hotline import audit
from hotline.delivery import templates
from hotline.errors import Invalid, NotFound
from hotline.web.access import roles, the_actor
from hotline.web.city.changes import steps_of
from hotline.web.city.views import KEEPERS
from hotline.web.context import runtime, transaction
from hotline.web.idempotency import tell_once
from hotline.web.sheets import sheet_answer

bp = Blueprint("texts", __name__, url_prefix="/texts")
SUBJECT: Final = "message_text"
ACTS: Final = {"add": "修改", "change": "修改"}
NAMES: Final = {
    "answered": "已直接答复",
    "accepted": "已受理",
    "extended": "已延期",
    "needs_info": "请市民补充",
    "no_info": "未补充而办结",
    "in_review": "正在复查",
    "reopened": "复查后重新办理",
    "review_kept": "复查后维持结果",
    "reported": "已有办理结果",
    "evaluate": "请市民评价",
    "not_reached": "回访没接通",
    "redo": "重新办理",
    "closed": "已办结",
    "withdrawn": "已撤诉",
    "refused": "不予受理",
    "unit.to_sign": "请单位签收",
    "unit.to_sign.urgent": "请单位签收（紧急）",
    "unit.to_check": "请二级单位审核",
    "unit.sent_back": "审核退回",
    "unit.redo": "请单位重办",
    "unit.urge": "催办",
    "unit.merged": "已并入另一张工单",
    "unit.withdraw": "市民撤诉",
    "unit.notice": "督办通知",
    "unit.leader_note": "领导批示",
    "unit.extension_asked": "请审批延期",
    "unit.extension_granted": "同意延期",
    "unit.extension_refused": "不同意延期",
    "unit.suspended": "已挂起",
    "unit.suspension_refused": "不同意挂起",
    "unit.resumed": "恢复办理",
    "unit.reopened": "复查后重新办理",
    "unit.return_asked": "请审批退回",
    "unit.return_accepted": "同意退回",
    "unit.return_refused": "不同意退回",
    "unit.recalled": "已撤回",
    "unit.panel": "提交会商",
    "unit.designated": "会商指定",
    "unit.waited_for": "其他单位正等待",
    "unit.joint": "联合办理",
    "unit.other": "其他情况",
    "staff.pin_locked": "电话密码输错，告知负责人",
    **{f"phone.progress.{key}": f"按 {key} 报告的进展" for key in range(1, 5)},
    **{f"phone.reason.{key}": f"按 {key} 选择的未解决原因" for key in range(1, 6)},
    **{f"phone.reply.{key}": f"按 {key} 选择的公开答复" for key in range(1, 5)},
}
# what the placeholders become in the preview
SAMPLES: Final = {
    "order_no": "2611-00042-7",
    "deadline": "2026年11月30日 17:30",
    "name": "张三",
    "time": "2026年11月21日 15:04",
    "channel": "请向有管辖权的人民法院提起诉讼",
    "reason": "情况复杂",
    "missing": "具体地点、发生时间",
}
PLACEHOLDERS: Final = {
    "name": "姓名",
    "time": "锁定的时间",
    "order_no": "工单编号",
    "deadline": "办理时限",
    "channel": "应走的渠道",
    "reason": "延期原因",
    "missing": "需要补充的内容",
}


def _own(session: Session) -> dict[str, str]:
    return {name: templates.text_of(session, name) for name in templates.TEMPLATES}


@bp.get("")
@roles(*KEEPERS)
def listed() -> ResponseReturnValue:
    """Every message by whom it is for."""
    text, show = request.args.get("q", "").strip(), request.args.get("show", "")
    with transaction() as session:
        words = _own(session)
    rows = [
        {"name": name, "title": NAMES.get(name, name), "text": said, "own": said != templates.TEMPLATES[name]}
        for name, said in words.items()
        if text in said or text in NAMES.get(name, name)
    ]
    tests = {
        "": lambda _row: True,
        "citizen": lambda row: "." not in str(row["name"]),
        "unit": lambda row: str(row["name"]).startswith(("unit.", "staff.")),
        "phone": lambda row: str(row["name"]).startswith("phone."),
        "own": lambda row: bool(row["own"]),
    }
    chosen = show if show in tests else ""
    chips = [
        {
            "href": url_for("office.city.texts.listed", q=text or None, show=key or None),
            "word": word,
            "count": sum(map(tests[key], rows)),
            "on": key == chosen,
        }
        for key, word in (
            ("", "全部"),
            ("citizen", "发给市民"),
            ("unit", "发给单位"),
            ("phone", "电话按键"),
            ("own", "本市改过"),
        )
    ]
    return render_template(
        "city/texts.html",
        rows=[row for row in rows if tests[chosen](row)],
        total=len(words),
        chips=chips,
        text=text,
        show=show,
    )


@bp.get("/export.<form>")
@roles(*KEEPERS)
def sheet(form: str) -> ResponseReturnValue:
    """Take the words away; the sheet can be imported again."""
    with transaction() as session:
        rows = [[name, said] for name, said in _own(session).items()]
    return sheet_answer("短信内容", form, ["模板", "内容"], rows)


@bp.get("/<name>")
@roles(*KEEPERS)
def opened(name: str) -> ResponseReturnValue:
    """One message, its placeholders and how it looks."""
    return _page(_known(name), None, None)


@bp.post("/<name>")
@roles(*KEEPERS)
def save(name: str) -> ResponseReturnValue:
    """Set the city's own words, or go back to the shipped ones."""
    _known(name)
    typed = request.form.get("text", "").strip()
    if request.form.get("shipped"):
        typed = templates.TEMPLATES[name]
    try:
        with transaction() as session:

            def act() -> str:
                templates.put_text(session, user_id=the_actor().user_id, now=runtime().now(), name=name, text=typed)
                return f"{NAMES.get(name, name)} 已保存，下一条起使用"

            return tell_once(session, act, then=url_for("office.city.texts.listed"))
    except Invalid as fault:
        return _page(name, typed, fault.message), 422


@bp.post("/<name>/preview")
@roles(*KEEPERS)
def preview(name: str) -> ResponseReturnValue:
    """What a telephone would show; nothing is kept."""
    return render_template("city/_sms.html", **_preview(_known(name), request.form.get("text", "")))


@bp.get("/<name>/history")
@roles(*KEEPERS)
def history(name: str) -> ResponseReturnValue:
    """Who changed the words, when, from what to what."""
    _known(name)
    with transaction() as session:
        rows = audit.of(session, SUBJECT, name)
        steps = steps_of(session, rows, ACTS, {"text": "内容"}, {})
    back = url_for("office.city.texts.opened", name=name)
    return render_template("city/history.html", steps=steps, title=NAMES.get(name, name), one=True, back=back)


def _known(name: str) -> str:
    if name not in templates.TEMPLATES:
        raise NotFound("没有这条短信")
    return name


def _preview(name: str, text: str) -> dict[str, object]:
    fault = templates.fault_of(name, text)
    return {"fault": fault, "said": "" if fault else templates.fill(text, **SAMPLES)}


def _page(name: str, typed: str | None, fault: str | None) -> str:
    with transaction() as session:
        kept = templates.text_of(session, name)
    text = kept if typed is None else typed
    return render_template(
        "city/text.html",
        name=name,
        title=NAMES.get(name, name),
        text=text,
        error=fault,
        own=kept != templates.TEMPLATES[name],
        shipped=templates.TEMPLATES[name],
        placeholders=[(f"{{{one}}}", PLACEHOLDERS.get(one, one)) for one in sorted(templates.fields_of(name))],
        **_preview(name, text),
    )
