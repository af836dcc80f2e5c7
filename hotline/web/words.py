"""The trade's Chinese words for every code people see, and how they look. Templates translate them with ``_()``.

Words of the order's life are those of ``work_orders.words``; what only screens name is named here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hotline.work_orders import states
from hotline.work_orders import words as trade


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


def _signs(words: Mapping[Any, str], looks: dict[str, tuple[str, str]]) -> dict[str, Sign]:
    """Join the trade's words with how they look; a code without a look is a fault at import."""
    return {str(code): Sign(word, *looks[str(code)]) for code, word in words.items()}


WAIT: Final = ("wait", "plain")
WORK: Final = ("work", "act")
JUDGE: Final = ("judge", "act")
DONE: Final = ("done", "done")
OVER: Final = ("done", "plain")
HOLD: Final = ("hold", "plain")
LATE: Final = ("late", "late")

STATES: Final = _signs(
    {status: state.word for status, state in states.STATES.items()},
    {
        "draft": WAIT,
        "answered": DONE,
        "to_review": WAIT,
        "needs_info": HOLD,
        "refused": OVER,
        "to_sign": WAIT,
        "in_hand": WORK,
        "to_sign_tier3": WAIT,
        "in_hand_tier3": WORK,
        "return_asked": JUDGE,
        "panel": JUDGE,
        "to_check_tier2": WAIT,
        "to_check_hub": WAIT,
        "sent_back": WORK,
        "to_call_back": WAIT,
        "redo": WORK,
        "closed": DONE,
        "archived": OVER,
        "suspended": HOLD,
        "review": JUDGE,
    },
)

# the same to the unit whose step it is: it knows its own tier
OWN_STATES: Final[dict[str, Sign]] = STATES | {
    "in_hand": Sign(N_("办理中"), *WORK),
    "to_sign_tier3": Sign(N_("待签收"), *WAIT),
    "in_hand_tier3": Sign(N_("办理中"), *WORK),
    "to_check_tier2": Sign(N_("待审核"), *WAIT),
}

SUB_STATES: Final = _signs(
    trade.SUB_WORDS,
    {
        "to_sign": WAIT,
        "signed": WORK,
        "in_hand": WORK,
        "reported": WAIT,
        "returning": JUDGE,
        "left": OVER,
        "closed": DONE,
    },
)

LIGHTS: Final[dict[str, Sign]] = {
    "green": Sign(N_("时限内"), "done", "done"),
    "yellow": Sign(N_("即将到期"), "work", "soon"),
    "red": Sign(N_("已超期"), "late", "late"),
}

URGENCY: Final = _signs(trade.URGENCY_WORDS, {"critical": LATE, "urgent": LATE, "normal": WAIT})

SATISFACTION: Final = _signs(
    trade.SATISFACTION_WORDS,
    {"satisfied": DONE, "fair": ("work", "done"), "dissatisfied": LATE, "none": WAIT},
)

SOLVED: Final = _signs(trade.SOLVED_WORDS, {"yes": DONE, "partly": ("work", "soon"), "no": LATE, "impossible": HOLD})

CALL_STATES: Final[dict[str, Sign]] = {
    "greeting": Sign(N_("接入中"), *WAIT),
    "waiting": Sign(N_("等候中"), "wait", "soon"),
    "talking": Sign(N_("通话中"), *WORK),
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
    "answered": Sign(N_("直接答复"), *DONE),
    "ordered": Sign(N_("转为工单"), *WORK),
    "unit": Sign(N_("单位电话办理"), "wait", "plain"),
    "no_demand": Sign(N_("无诉求"), "wait", "plain"),
}

CALLBACK_STATES: Final[dict[str, Sign]] = {
    "waiting": Sign(N_("待回访"), *WAIT),
    "taken": Sign(N_("回访中"), *WORK),
    "done": Sign(N_("已回访"), *DONE),
    "not_reached": Sign(N_("未联系上"), "hold", "plain"),
    "withdrawn": Sign(N_("已撤销"), "hold", "plain"),
}

ENTRY_STATES: Final[dict[str, Sign]] = {
    "draft": Sign(N_("未发布"), *WAIT),
    "published": Sign(N_("已发布"), *DONE),
    "withdrawn": Sign(N_("已停用"), "hold", "plain"),
}

# of one text of an entry
VERSION_STATES: Final[dict[str, Sign]] = {
    "draft": Sign(N_("草稿"), *WORK),
    "review": Sign(N_("待审核"), "judge", "soon"),
    "published": Sign(N_("已发布"), *DONE),
    "superseded": Sign(N_("曾发布"), *OVER),
    "dropped": Sign(N_("已放弃"), "hold", "plain"),
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

PARTS: Final = {"lead": N_("主办"), "assisting": N_("协办")}

SUPERVISION: Final = {
    "none": N_("未督办"),
    "blue": N_("蓝色督办"),
    "yellow": N_("黄色督办"),
    "red": N_("红色督办"),
    "listed": N_("挂牌督办"),
    "joint": N_("联合督办"),
}

# every table by the name templates ask for: {{ "help" | word("demand_type") }}
TABLES: Final[dict[str, Mapping[Any, str]]] = {
    "action": trade.ACTION_WORDS,
    "close": trade.CLOSE_WORDS,
    "demand_type": trade.DEMAND_WORDS,
    "sensitive": trade.SENSITIVE_WORDS,
    "holder": HOLDERS,
    "notice": trade.NOTICE_WORDS,
    "part": PARTS,
    "request_kind": trade.REQUEST_WORDS,
    "request_state": trade.REQUEST_STATE_WORDS,
    "role": ROLES,
    "supervision": SUPERVISION,
    "track": TRACKS,
}
SIGNS: Final[dict[str, dict[str, Sign]]] = {
    "state": STATES,
    "own_state": OWN_STATES,
    "sub_state": SUB_STATES,
    "light": LIGHTS,
    "urgency": URGENCY,
    "satisfaction": SATISFACTION,
    "solved": SOLVED,
    "call": CALL_STATES,
    "outcome": CALL_OUTCOMES,
    "presence": PRESENCE,
    "callback": CALLBACK_STATES,
    "entry": ENTRY_STATES,
    "version": VERSION_STATES,
}


def sign(code: str, kind: str = "state") -> Sign:
    """Return how ``code`` of ``kind`` (a key of ``SIGNS``) is shown; raises KeyError for a code nobody named."""
    return SIGNS[kind][code]


def word(code: str, kind: str) -> str:
    """Return the Chinese word of ``code`` in the table ``kind``; raises KeyError for a code nobody named."""
    return TABLES[kind][code] if kind in TABLES else SIGNS[kind][code].word


# what was done to something a city brought, as its audit rows name it
CHANGES: Final = {
    "add": "新增",
    "change": "修改",
    "retire": "停用",
    "remove": "删除",
    "give_code": "发首次登录码",
    "import": "导入",
    "take_away": "导出",
}
# what was done to the keys of a unit's systems
KEY_ACTS: Final = {
    "unit_key.create": "生成接口密钥",
    "unit_key.revoke": "停用接口密钥",
    "unit_key.webhook": "更换推送签名密钥",
}
