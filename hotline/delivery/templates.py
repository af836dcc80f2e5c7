"""What citizens and units are told in writing: names and words, as data.

A text carries the order number and dates, never what the demand is about: a telephone is read by others too.
"""

from __future__ import annotations

from datetime import datetime
from string import Formatter
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline import audit
from hotline.delivery.models import MessageText
from hotline.errors import Invalid

LONGEST: Final = 300  # four to five text messages
SIGNATURE: Final = "【12345热线】"

TEMPLATES: Final[dict[str, str]] = {
    # to the citizen
    "answered": "您好，您来电咨询的问题已答复。如还有疑问，请随时拨打12345。",
    "accepted": "您好，您的诉求已受理，工单编号{order_no}，我们将尽快转交有关单位办理。查询进度请拨打12345。",
    "extended": "您好，您的诉求（工单编号{order_no}）因{reason}需延长办理，预计{deadline}前办结，敬请谅解。",
    "needs_info": "您好，办理您的诉求（工单编号{order_no}）还需要您补充{missing}，请拨打12345告诉我们。",
    "no_info": "您好，因未收到补充情况，您的诉求（工单编号{order_no}）已办结。需要时请再次拨打12345。",
    "in_review": "您好，您对工单{order_no}提出的新情况已收到，我们正在复查。",
    "reopened": "您好，经复查，工单{order_no}已要求承办单位重新办理。",
    "review_kept": "您好，经复查，工单{order_no}维持原办理结果。如有疑问，请拨打12345。",
    "reported": "您好，您的诉求（工单编号{order_no}）已有办理结果，我们将于近期电话回访，请留意接听。",
    "evaluate": ("您好，您的诉求（工单编号{order_no}）已办理。对结果是否满意？请回复：1满意，2基本满意，3不满意。"),
    "not_reached": "您好，我们就您的诉求（工单编号{order_no}）多次致电未能接通。如需反映情况，请拨打12345。",
    "redo": "您好，您对工单{order_no}的评价已收到，我们已要求承办单位重新办理。",
    "closed": "您好，您的诉求（工单编号{order_no}）已办结。感谢您的反映与支持。",
    "withdrawn": "您好，按您的要求，工单{order_no}已撤回，不再办理。如需再次反映，请拨打12345。",
    "refused": "您好，您反映的事项依法不属于12345受理范围，{channel}。感谢理解。",
    # to the unit's duty telephone, by what it is asked to do
    "unit.to_sign": "您单位有新工单{order_no}，请尽快登录承办单位平台签收。",
    "unit.to_sign.urgent": "您单位有紧急工单{order_no}，请立即登录承办单位平台签收处置。",
    "unit.to_check": "工单{order_no}已由下级单位反馈，请登录承办单位平台审核。",
    "unit.sent_back": "工单{order_no}审核未通过，请登录承办单位平台补充办理。",
    "unit.redo": "来电人对工单{order_no}的结果不满意，请登录承办单位平台重新办理。",
    "unit.urge": "来电人催办工单{order_no}，请登录承办单位平台查看。",
    "unit.merged": "工单{order_no}与另一张工单反映同一件事，已并入一并办理，不用单独反馈。",
    "unit.withdraw": "来电人撤回了工单{order_no}，不用再办。",
    "unit.notice": "您单位收到关于工单{order_no}的督办通知，请登录承办单位平台查看，抓紧办理并按期书面回复。",
    "unit.leader_note": "工单{order_no}有领导批示，请登录承办单位平台查看并抓紧办理。",
    "unit.extension_asked": "下级单位就工单{order_no}申请延期，请登录承办单位平台审批。",
    "unit.extension_granted": "工单{order_no}的延期申请已同意，请按新的时限办理。",
    "unit.extension_refused": "工单{order_no}的延期申请未同意，请按原时限办理。",
    "unit.suspended": "工单{order_no}已同意挂起，暂停计时。",
    "unit.suspension_refused": "工单{order_no}的挂起申请未同意，请继续办理。",
    "unit.resumed": "工单{order_no}已恢复办理，继续计时。",
    "unit.reopened": "工单{order_no}经复查需重新办理，请登录承办单位平台查看。",
    "unit.return_asked": "下级单位申请退回工单{order_no}，请登录承办单位平台审批。",
    "unit.return_accepted": "工单{order_no}的退回申请已同意，不用再办。",
    "unit.return_refused": "工单{order_no}的退回申请未同意，请抓紧办理。",
    "unit.recalled": "工单{order_no}已撤回，不用再办。",
    "unit.panel": "工单{order_no}已提交会商，会商前由首接单位负责联系来电人。",
    "unit.designated": "工单{order_no}经会商指定由您单位办理，不能退回，请登录承办单位平台查看。",
    "unit.waited_for": "其他承办单位正等待您单位办理工单{order_no}，请登录承办单位平台查看。",
    "unit.joint": "工单{order_no}已列为联合办理，请登录承办单位平台查看牵头单位。",
    "unit.other": "工单{order_no}有新情况，请登录承办单位平台查看。",
    "staff.pin_locked": "您单位{name}的电话办理密码于{time}连续输错，已暂停使用30分钟。如非本人操作，请为其更换密码。",
    # what a key stands for when a unit works by telephone; the last part is the key
    "phone.progress.1": "工作人员已到现场",
    "phone.progress.2": "正在维修处置",
    "phone.progress.3": "需要调配材料设备，到位后立即处置",
    "phone.progress.4": "预计今日完成",
    "phone.reason.1": "受政策法规限制",
    "phone.reason.2": "受客观条件限制",
    "phone.reason.3": "已列入计划，分步实施",
    "phone.reason.4": "权属不清，正在协调",
    "phone.reason.5": "反映情况与实际不符",
    "phone.reply.1": "您反映的问题已处理完毕，感谢您的监督与支持。",
    "phone.reply.2": "您反映的问题已处理一部分，其余部分正在抓紧办理，感谢您的理解。",
    "phone.reply.3": "您反映的问题已核实，目前暂不具备解决条件，我们会持续关注，感谢您的理解。",
    "phone.reply.4": "您咨询的问题已由工作人员向您答复，如有疑问请随时拨打12345。",
}


def fields_of(name: str) -> set[str]:
    """Return which fields a template may hold. Raises ``KeyError`` for a name that is not there."""
    return {field for _, field, _, _ in Formatter().parse(TEMPLATES[name]) if field}


def text_of(session: Session, name: str) -> str:
    """Return the city's own words of a template, else the shipped ones. Raises ``KeyError`` for an unknown name."""
    own = session.scalar(select(MessageText.text).where(MessageText.name == name))
    return TEMPLATES[name] if own is None else own


def fill(text: str, **fields: str) -> str:
    """Return the whole text of a message. Raises ``KeyError`` for a missing field."""
    return SIGNATURE + text.format(**fields)


def fault_of(name: str, text: str) -> str | None:
    """Return in words why ``text`` cannot stand for a template, or None: it holds fields the sender does not know, or
    asks more of one than to be written."""
    if name not in TEMPLATES:
        return f"没有这个短信模板：{name}"
    if not text.strip():
        return "请填写短信内容"
    try:
        parts = list(Formatter().parse(text))
    except ValueError:
        return "花括号不成对"
    known = fields_of(name)
    for _, field, form, conversion in parts:
        if field is not None and (field not in known or form or conversion):
            allowed = "、".join(f"{{{one}}}" for one in sorted(known)) or "无"
            return f"不能使用 {{{field}}}；可用的占位符：{allowed}"
    if len(SIGNATURE + text) > LONGEST:
        return f"连同签名不能超过 {LONGEST} 个字"
    return None


def put_text(session: Session, *, user_id: int | None, now: datetime, name: str, text: str) -> None:
    """Set a city's own words of a template. Leaves an audit row where they changed.

    Raises ``Invalid`` with the reason of ``fault_of``.
    """
    if fault := fault_of(name, text):
        raise Invalid(fault, text=fault)
    before = text_of(session, name)
    session.merge(MessageText(name=name, text=text))
    audit.changed(
        session,
        at=now,
        user_id=user_id,
        subject="message_text",
        subject_id=name,
        before={"text": before},
        after={"text": text},
    )


def for_unit(what: str, *, urgent: bool) -> str:
    """Return the name of the template that tells a unit ``what`` it must do."""
    wanted = (f"unit.{what}.urgent", f"unit.{what}") if urgent else (f"unit.{what}",)
    return next((name for name in wanted if name in TEMPLATES), "unit.other")
