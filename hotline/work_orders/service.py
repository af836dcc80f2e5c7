"""Verbs that change an order, by stage of its life. Each flushes and never commits."""

from hotline.work_orders.asks.claims import appeal, claim, decide_appeal, decide_claim
from hotline.work_orders.asks.deciding import accept_return, refuse_return, to_panel
from hotline.work_orders.asks.explanations import explain, grant_explanation, refuse_explanation
from hotline.work_orders.asks.extensions import ask_extension, grant_extension, refuse_extension
from hotline.work_orders.asks.information import ask_info, close_unanswered, remind_or_close, tell
from hotline.work_orders.asks.panels import (
    cancel_panel,
    close_panel,
    designate,
    minute,
    plan_panel,
    put_on_agenda,
    take_off_agenda,
)
from hotline.work_orders.asks.recalls import recall
from hotline.work_orders.asks.returns import ask_return
from hotline.work_orders.asks.suspensions import ask_suspension, refuse_suspension, resume, suspend
from hotline.work_orders.asks.waits import join, progress
from hotline.work_orders.batches import list_households, settle_households
from hotline.work_orders.checking import approve, reject
from hotline.work_orders.closing import archive, not_reached, record_evaluation
from hotline.work_orders.dispatching import dispatch, hand_down, suggested_due
from hotline.work_orders.drafting import DRAFT_FIELDS, answer, save_draft, start_draft, submit
from hotline.work_orders.handling import report, sign
from hotline.work_orders.merging import merge, unmerge
from hotline.work_orders.refusing import refuse
from hotline.work_orders.releasing import release
from hotline.work_orders.reviewing import keep_closed, reopen, review
from hotline.work_orders.settling import close_checked, settle
from hotline.work_orders.supervision.leaders import note_leader
from hotline.work_orders.supervision.notices import read_reply, reply_notice, supervise
from hotline.work_orders.telling import supplement, urge, withdraw

__all__ = [
    "DRAFT_FIELDS",
    "accept_return",
    "answer",
    "appeal",
    "approve",
    "archive",
    "ask_extension",
    "ask_info",
    "ask_return",
    "ask_suspension",
    "cancel_panel",
    "claim",
    "close_checked",
    "close_panel",
    "close_unanswered",
    "decide_appeal",
    "decide_claim",
    "designate",
    "dispatch",
    "explain",
    "grant_explanation",
    "grant_extension",
    "hand_down",
    "join",
    "keep_closed",
    "list_households",
    "merge",
    "minute",
    "not_reached",
    "note_leader",
    "plan_panel",
    "progress",
    "put_on_agenda",
    "read_reply",
    "recall",
    "record_evaluation",
    "refuse",
    "refuse_explanation",
    "refuse_extension",
    "refuse_return",
    "refuse_suspension",
    "reject",
    "release",
    "remind_or_close",
    "reopen",
    "reply_notice",
    "report",
    "resume",
    "review",
    "save_draft",
    "settle",
    "settle_households",
    "sign",
    "start_draft",
    "submit",
    "suggested_due",
    "supervise",
    "supplement",
    "suspend",
    "take_off_agenda",
    "tell",
    "to_panel",
    "unmerge",
    "urge",
    "withdraw",
]
