"""Not for this hotline (T4): one listed ground, and the caller is told where the matter belongs."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.errors import Invalid
from hotline.work_orders.models import WorkOrder
from hotline.work_orders.states import Action, RefuseGround
from hotline.work_orders.steps import advance, rule_for, sms

CHANNEL_AT_MOST: Final = 100
# what a caller is told unless whoever refuses knows better
CHANNELS: Final = {
    RefuseGround.LAWSUIT: "请向有管辖权的人民法院提起诉讼",
    RefuseGround.ARBITRATION: "请向劳动人事争议或有关仲裁委员会申请仲裁",
    RefuseGround.DISCIPLINE: "请向纪检监察机关反映，举报电话12388",
    RefuseGround.RECONSIDERATION: "请向有权的行政复议机关申请复议",
    RefuseGround.DISCLOSURE: "请向有关机关提出政府信息公开申请",
    RefuseGround.PETITION: "请向正在办理的信访部门了解进展",
    RefuseGround.CLASSIFIED: "请向保密行政管理部门反映，不要在电话中谈及",
    RefuseGround.EMERGENCY: "请立即拨打110、119、120或122",
}


def refuse(
    session: Session, *, order: WorkOrder, actor: Actor, now: datetime, ground: str, channel: str = ""
) -> WorkOrder:
    """Do not accept the demand (N0 or N2 to N4), for a ground of the list; the caller is told and written to.

    ``channel`` is the sentence that says where the matter belongs, by default that of ``CHANNELS``. Raises
    ``Invalid`` naming a ground that is not listed or a sentence too long for a text message.
    """
    rule_for(order, Action.REFUSE, actor, now)
    faults: dict[str, object] = {}
    if ground not in set(RefuseGround):
        faults["ground"] = "请选择不予受理的情形"
    if len(channel.strip()) > CHANNEL_AT_MOST:
        faults["channel"] = f"应走的渠道最多 {CHANNEL_AT_MOST} 字"
    if faults:
        raise Invalid("；".join(map(str, faults.values())), **faults)
    told = channel.strip().rstrip("。") or CHANNELS[RefuseGround(ground)]
    advance(
        session,
        order,
        Action.REFUSE,
        actor=actor,
        now=now,
        data={"ground": ground},
        private={"channel": told},
        messages=sms(order, "refused"),
    )
    return order


def told_channel(order: WorkOrder) -> str:
    """Return where the caller of a refused order was sent; empty for one that was not refused, or is erased."""
    event = next((event for event in reversed(order.events) if event.action == Action.REFUSE), None)
    return str((event.private or {}).get("channel", "")) if event is not None else ""
