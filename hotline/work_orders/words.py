"""The trade's words for what ``states`` names: what people read on pages, in messages and in files."""

from __future__ import annotations

from typing import Final

from hotline.work_orders.states import (
    Action,
    ClaimGround,
    CloseKind,
    DemandType,
    ExplainGround,
    ExtensionGround,
    FileKind,
    Missing,
    NoticeKind,
    PanelCause,
    PanelState,
    RefuseGround,
    RequestKind,
    RequestState,
    ReturnGround,
    Satisfaction,
    SensitiveKind,
    Solved,
    SubState,
    Supervision,
    SuspensionGround,
    Urgency,
)

ACTION_WORDS: Final[dict[Action, str]] = {
    Action.OPEN: "记录诉求",
    Action.ANSWER: "直接答复",
    Action.SUBMIT: "提交",
    Action.REFUSE: "不予受理",
    Action.RELEASE: "脱敏放行",
    Action.ASK_INFO: "请来电人补充",
    Action.TELL: "电话告知来电人",
    Action.DISPATCH: "派单",
    Action.SIGN: "签收",
    Action.HAND_DOWN: "转派",
    Action.RECALL: "撤回",
    Action.RETURN: "申请退回",
    Action.ACCEPT_RETURN: "同意退回",
    Action.REFUSE_RETURN: "不同意退回",
    Action.TO_PANEL: "提交会商",
    Action.DESIGNATE: "指定承办",
    Action.JOIN: "联合办理",
    Action.ASK_EXTENSION: "申请延期",
    Action.GRANT_EXTENSION: "同意延期",
    Action.REFUSE_EXTENSION: "不同意延期",
    Action.ASK_SUSPENSION: "申请挂起",
    Action.REFUSE_SUSPENSION: "不同意挂起",
    Action.SUSPEND: "挂起",
    Action.RESUME: "恢复办理",
    Action.PROGRESS: "办理进展",
    Action.LIST_HOUSEHOLDS: "登记批量户",
    Action.SETTLE_HOUSEHOLDS: "逐户办结",
    Action.REPORT: "反馈结果",
    Action.APPROVE: "审核通过",
    Action.REJECT: "审核驳回",
    Action.TAKE_UP: "重新办理",
    Action.CALL_BACK: "转回访",
    Action.EXPLAIN: "提请按合理解释办结",
    Action.REFUSE_EXPLANATION: "不认可解释",
    Action.REDO: "重办",
    Action.CLOSE: "办结",
    Action.REVIEW: "复查",
    Action.RECOUNT: "重新计算时限",
    Action.ARCHIVE: "归档",
    Action.SUPPLEMENT: "补充情况",
    Action.URGE: "催单",
    Action.WITHDRAW: "撤诉",
    Action.MERGE: "合并",
    Action.UNMERGE: "拆分",
    Action.SUPERVISE: "督办",
    Action.REPLY_NOTICE: "回复督办",
    Action.CLAIM: "申报不合理诉求",
    Action.DECIDE_CLAIM: "认定不合理诉求",
    Action.APPEAL: "考核申诉",
    Action.DECIDE_APPEAL: "裁定申诉",
    Action.LEADER_NOTE: "领导批示",
}

SUB_WORDS: Final[dict[SubState, str]] = {
    SubState.TO_SIGN: "待签收",
    SubState.SIGNED: "已签收",
    SubState.IN_HAND: "办理中",
    SubState.REPORTED: "已反馈",
    SubState.RETURNING: "退回中",
    SubState.LEFT: "已退出",
    SubState.CLOSED: "已办结",
}

URGENCY_WORDS: Final = {Urgency.CRITICAL: "特急", Urgency.URGENT: "紧急", Urgency.NORMAL: "一般"}
DEMAND_WORDS: Final = {
    DemandType.CONSULT: "咨询",
    DemandType.HELP: "求助",
    DemandType.COMPLAINT: "投诉",
    DemandType.REPORT: "举报",
    DemandType.SUGGESTION: "建议",
    DemandType.PRAISE: "表扬",
    DemandType.OTHER: "其他",
}
SATISFACTION_WORDS: Final = {
    Satisfaction.SATISFIED: "满意",
    Satisfaction.FAIR: "基本满意",
    Satisfaction.DISSATISFIED: "不满意",
    Satisfaction.NONE: "未评价",
}
SOLVED_WORDS: Final = {
    Solved.YES: "已解决",
    Solved.PARTLY: "部分解决",
    Solved.NO: "未解决",
    Solved.IMPOSSIBLE: "无法解决",
}
CLOSE_WORDS: Final = {
    CloseKind.EVALUATED: "回访办结",
    CloseKind.REDO_EXHAUSTED: "重办仍不满意，转督办",
    CloseKind.NOT_HEARD: "不满意，未能问明原因，转督办",
    CloseKind.NOT_REACHED: "未联系上",
    CloseKind.NO_NUMBER: "号码保密，无法回访",
    CloseKind.NOT_WANTED: "市民不需要回访",
    CloseKind.EXPLAINED: "不满意，已作合理解释",
    CloseKind.NO_INFO: "未补充情况",
    CloseKind.WITHDRAWN: "市民撤诉",
    CloseKind.CHECKED: "前后对比核验",
}
REQUEST_WORDS: Final = {
    RequestKind.RETURN: "退回",
    RequestKind.EXTENSION: "延期",
    RequestKind.SUSPENSION: "挂起",
    RequestKind.EXPLANATION: "合理解释",
    RequestKind.CLAIM: "不合理诉求",
    RequestKind.APPEAL: "考核申诉",
}
REQUEST_STATE_WORDS: Final = {
    RequestState.ASKED: "待审批",
    RequestState.PASSED: "待中心审批",
    RequestState.GRANTED: "已同意",
    RequestState.REFUSED: "未同意",
    RequestState.DROPPED: "已失效",
}
RETURN_WORDS: Final = {
    ReturnGround.PLACE: "属地不符",
    ReturnGround.DUTY: "职能不符",
    ReturnGround.OWNERSHIP: "权属不清",
    ReturnGround.DUPLICATE: "重复",
    ReturnGround.INCOMPLETE: "要素不全",
}
MEETING_WORDS: Final = {
    PanelState.PLANNED: "待召开",
    PanelState.HELD: "已召开",
    PanelState.CANCELLED: "已取消",
}
PANEL_WORDS: Final = {
    PanelCause.THIRD: "多次退回",
    PanelCause.CYCLE: "循环退回",
    PanelCause.LEADERS: "两个单位负责人均申请退回",
    PanelCause.REFERRED: "热线中心提请",
}
MISSING_WORDS: Final = {
    Missing.PLACE: "具体地点",
    Missing.TIME: "发生时间",
    Missing.FACTS: "具体情况",
    Missing.OTHER_SIDE: "被反映对象",
    Missing.PAPERS: "有关材料",
    Missing.CONTACT: "联系方式",
}
EXTENSION_WORDS: Final = {
    ExtensionGround.COMPLEX: "情况复杂",
    ExtensionGround.SEVERAL: "需多个单位配合",
    ExtensionGround.PROCEDURE: "需履行规定程序",
    ExtensionGround.STEPS: "需分步实施",
    ExtensionGround.CONDITIONS: "受天气等客观条件影响",
    ExtensionGround.CHECKS: "需进一步核实",
}
SUSPENSION_WORDS: Final = {
    SuspensionGround.SEASON: "季节、天气条件不具备",
    SuspensionGround.COURT: "等待法院、仲裁等处理结果",
    SuspensionGround.APPROVAL: "等待审批、立项",
    SuspensionGround.SUPPLY: "等待设备、材料",
    SuspensionGround.CALLER: "来电人要求暂缓",
    SuspensionGround.OTHER: "其他客观条件",
}
EXPLAIN_WORDS: Final = {
    ExplainGround.LAW: "政策法规不允许",
    ExplainGround.CONDITION: "客观条件不具备",
}
CLAIM_WORDS: Final = {
    ClaimGround.NOT_TRUE: "反映内容不属实",
    ClaimGround.AGAINST_LAW: "诉求不合法律法规政策",
    ClaimGround.MALICIOUS: "恶意投诉",
    ClaimGround.REPEATED: "已办结又反复提出同一诉求",
    ClaimGround.NOBODYS_DUTY: "超出政府职责范围",
}
REFUSE_WORDS: Final = {
    RefuseGround.LAWSUIT: "诉讼",
    RefuseGround.ARBITRATION: "仲裁",
    RefuseGround.DISCIPLINE: "纪检监察",
    RefuseGround.RECONSIDERATION: "行政复议",
    RefuseGround.DISCLOSURE: "政府信息公开",
    RefuseGround.PETITION: "信访已受理",
    RefuseGround.CLASSIFIED: "国家秘密",
    RefuseGround.EMERGENCY: "110、119、120、122 紧急事项",
}
SENSITIVE_WORDS: Final = {
    SensitiveKind.THREAT: "扬言",
    SensitiveKind.HAZARD: "安全隐患",
    SensitiveKind.DISTRESS: "急难愁求助",
    SensitiveKind.COLLECTIVE: "集中反映",
    SensitiveKind.MINOR: "涉未成年",
    SensitiveKind.OPINION: "舆情",
}
FILE_WORDS: Final = {
    FileKind.DEMAND: "诉求",
    FileKind.IDENTITY: "证件",
    FileKind.CONTACT: "联系证据",
    FileKind.BEFORE: "办理前",
    FileKind.AFTER: "办理后",
}
NOTICE_WORDS: Final = {
    NoticeKind.REMINDER: "催办通知",
    NoticeKind.SUPERVISION: "督办通知",
    NoticeKind.CRITICISM: "书面批评",
    NoticeKind.TALK: "约谈通知",
}
SUPERVISION_WORDS: Final = {
    Supervision.NONE: "未督办",
    Supervision.BLUE: "蓝色督办",
    Supervision.YELLOW: "黄色督办",
    Supervision.RED: "红色督办",
    Supervision.LISTED: "挂牌督办",
    Supervision.JOINT: "联合督办",
}
