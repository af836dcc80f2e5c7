"""The trade's Chinese words for every code people see. One table each; templates translate them with ``_()``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


def N_(text: str) -> str:
    """Mark a word for translation and return it unchanged."""
    return text


@dataclass(frozen=True, slots=True)
class Sign:
    """How a code is shown: never by colour alone.

    ``shape`` names a drawn mark of hotline.css (wait work judge hold done late), ``mark`` is the same as a
    character for plain text and spreadsheets, ``tone`` the colour (plain act done soon late secret).
    """

    word: str
    shape: str
    tone: str

    @property
    def mark(self) -> str:
        """The shape as one character."""
        return MARKS[self.shape]


MARKS: Final = {"wait": "○", "work": "◐", "judge": "◇", "hold": "‖", "done": "●", "late": "▲"}


def _wait(word: str) -> Sign:
    return Sign(word, "wait", "plain")


def _work(word: str) -> Sign:
    return Sign(word, "work", "act")


def _judge(word: str) -> Sign:
    return Sign(word, "judge", "act")


def _done(word: str) -> Sign:
    return Sign(word, "done", "done")


STATES: Final[dict[str, Sign]] = {
    "draft": _wait(N_("记录中")),
    "answered": _done(N_("直接答复")),
    "to_review": _wait(N_("待预审")),
    "needs_info": Sign(N_("待补充"), "hold", "plain"),
    "refused": Sign(N_("不予受理"), "done", "plain"),
    "to_sign": _wait(N_("待签收")),
    "in_hand": _work(N_("二级办理中")),
    "to_sign_tier3": _wait(N_("已转派·待签收")),
    "in_hand_tier3": _work(N_("三级办理中")),
    "return_asked": _judge(N_("申请退回")),
    "panel": _judge(N_("会商/指定")),
    "to_check_tier2": _wait(N_("待二级审核")),
    "to_check_hub": _wait(N_("待中心审核")),
    "sent_back": _work(N_("审核驳回")),
    "to_call_back": _wait(N_("待回访")),
    "redo": _work(N_("重办")),
    "closed": _done(N_("办结")),
    "archived": Sign(N_("归档"), "done", "plain"),
    "suspended": Sign(N_("挂起"), "hold", "plain"),
    "review": _judge(N_("复查")),
}

SUB_STATES: Final[dict[str, Sign]] = {
    "to_sign": _wait(N_("待签收")),
    "signed": _work(N_("已签收")),
    "in_hand": _work(N_("办理中")),
    "handed_down": _work(N_("已转派")),
    "reported": _wait(N_("已反馈")),
    "returning": _judge(N_("退回中")),
    "withdrawn": Sign(N_("已退出"), "done", "plain"),
    "closed": _done(N_("已办结")),
}

LIGHTS: Final[dict[str, Sign]] = {
    "green": Sign(N_("时限内"), "done", "done"),
    "yellow": Sign(N_("即将到期"), "work", "soon"),
    "red": Sign(N_("已超期"), "late", "late"),
}

URGENCY: Final[dict[str, Sign]] = {
    "critical": Sign(N_("特急"), "late", "late"),
    "urgent": Sign(N_("紧急"), "late", "late"),
    "normal": Sign(N_("一般"), "wait", "plain"),
}

SATISFACTION: Final[dict[str, Sign]] = {
    "satisfied": Sign(N_("满意"), "done", "done"),
    "fair": Sign(N_("基本满意"), "work", "done"),
    "dissatisfied": Sign(N_("不满意"), "late", "late"),
    "none": Sign(N_("未评价"), "wait", "plain"),
}

SOLVED: Final[dict[str, Sign]] = {
    "yes": Sign(N_("已解决"), "done", "done"),
    "partly": Sign(N_("部分解决"), "work", "soon"),
    "no": Sign(N_("未解决"), "late", "late"),
    "impossible": Sign(N_("无法解决"), "hold", "plain"),
}

CALL_STATES: Final[dict[str, Sign]] = {
    "greeting": _wait(N_("接入中")),
    "waiting": Sign(N_("等候中"), "wait", "soon"),
    "talking": _work(N_("通话中")),
    "ended": Sign(N_("已结束"), "done", "plain"),
}

PRESENCE: Final[dict[str, Sign]] = {
    "offline": Sign(N_("离线"), "wait", "plain"),
    "ready": Sign(N_("就绪"), "done", "done"),
    "offered": Sign(N_("来电中"), "late", "act"),
    "talking": Sign(N_("通话中"), "work", "act"),
    "wrap_up": Sign(N_("话后"), "work", "soon"),
    "away": Sign(N_("示忙"), "hold", "plain"),
}

CALL_OUTCOMES: Final[dict[str, Sign]] = {
    "abandoned_greeting": Sign(N_("问候时挂断"), "wait", "plain"),
    "abandoned": Sign(N_("等候时挂断"), "late", "soon"),
    "answered": _done(N_("直接答复")),
    "ordered": _work(N_("转为工单")),
    "no_demand": Sign(N_("无诉求"), "wait", "plain"),
}

CALLBACK_STATES: Final[dict[str, Sign]] = {
    "waiting": _wait(N_("待回访")),
    "taken": _work(N_("回访中")),
    "done": _done(N_("已回访")),
    "not_reached": Sign(N_("未联系上"), "hold", "plain"),
}

DEMAND_TYPES: Final = {
    "consult": N_("咨询"),
    "help": N_("求助"),
    "complaint": N_("投诉"),
    "report": N_("举报"),
    "suggestion": N_("建议"),
    "praise": N_("表扬"),
    "other": N_("其他"),
}

ROLES: Final = {
    "CIT": N_("来电人"),
    "OPR": N_("话务员"),
    "REV": N_("派单员"),
    "CBK": N_("回访员"),
    "SUP": N_("督办员"),
    "ADJ": N_("会商成员"),
    "U2": N_("二级单位经办人"),
    "U2L": N_("二级单位负责人"),
    "U3": N_("三级单位经办人"),
    "U3L": N_("三级单位负责人"),
    "DTY": N_("值班员"),
    "KBE": N_("知识库管理员"),
    "LDR": N_("领导"),
    "OBS": N_("群众监督员"),
    "ADM": N_("系统管理员"),
    "SEC": N_("安全管理员"),
    "AUD": N_("审计管理员"),
    "SYS": N_("系统"),
}

TIERS: Final = {1: N_("市级"), 2: N_("二级"), 3: N_("三级")}

TRACKS: Final = {"caller": N_("市民"), "operator": N_("座席"), "third": N_("第三方")}

HOLDERS: Final = {"hub": N_("热线中心"), "caller": N_("来电人"), "unit": N_("承办单位"), "pause": N_("暂停计时")}

ACTIONS: Final = {
    "open": N_("记录诉求"),
    "answer": N_("直接答复"),
    "submit": N_("提交"),
    "refuse": N_("不予受理"),
    "ask_info": N_("要求补充"),
    "dispatch": N_("派单"),
    "sign": N_("签收"),
    "hand_down": N_("转派"),
    "recall": N_("收回"),
    "return": N_("申请退回"),
    "accept_return": N_("同意退回"),
    "refuse_return": N_("不同意退回"),
    "designate": N_("指定承办"),
    "ask_extension": N_("申请延期"),
    "grant_extension": N_("同意延期"),
    "refuse_extension": N_("不同意延期"),
    "suspend": N_("挂起"),
    "resume": N_("恢复办理"),
    "report": N_("反馈结果"),
    "approve": N_("审核通过"),
    "reject": N_("审核驳回"),
    "call_back": N_("回访"),
    "redo": N_("重办"),
    "close": N_("办结"),
    "archive": N_("归档"),
    "withdraw": N_("撤回诉求"),
    "supplement": N_("补充情况"),
    "urge": N_("催单"),
    "merge": N_("合并"),
    "unmerge": N_("取消合并"),
    "review": N_("复查"),
}

SUPERVISION: Final = {
    "none": N_("未督办"),
    "blue": N_("蓝色督办"),
    "yellow": N_("黄色督办"),
    "red": N_("红色督办"),
    "listed": N_("挂牌督办"),
    "joint": N_("联合督办"),
}

# every table by the name templates ask for: {{ "help" | word("demand_type") }}
TABLES: Final[dict[str, dict[str, str]]] = {
    "action": ACTIONS,
    "demand_type": DEMAND_TYPES,
    "holder": HOLDERS,
    "role": ROLES,
    "supervision": SUPERVISION,
    "track": TRACKS,
}
SIGNS: Final[dict[str, dict[str, Sign]]] = {
    "state": STATES,
    "sub_state": SUB_STATES,
    "light": LIGHTS,
    "urgency": URGENCY,
    "satisfaction": SATISFACTION,
    "solved": SOLVED,
    "call": CALL_STATES,
    "outcome": CALL_OUTCOMES,
    "presence": PRESENCE,
    "callback": CALLBACK_STATES,
}


def sign(code: str, kind: str = "state") -> Sign:
    """Return how ``code`` of ``kind`` (a key of ``SIGNS``) is shown; raises KeyError for a code nobody named."""
    return SIGNS[kind][code]


def word(code: str, kind: str) -> str:
    """Return the Chinese word of ``code`` in the table ``kind``; raises KeyError for a code nobody named."""
    return TABLES[kind][code] if kind in TABLES else SIGNS[kind][code].word
