"""A caller who is forgotten leaves counts, and no words with the editors of knowledge."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.calls import forgetting
from hotline.knowledge_base import tasks
from hotline.knowledge_base.floor import offers
from hotline.knowledge_base.models import Entry, Offer, Signal
from hotline.knowledge_base.service import import_entries
from hotline.knowledge_base.states import SignalKind
from tests.factories import calls, people


def test_signals_and_offers_of_every_call_of_the_contact_lose_their_words(session: Session, now: datetime) -> None:
    import_entries(
        session, [{"id": "K1", "question": "停水怎么报修", "answer": "请拨打供水公司"}], actor_id=None, now=now
    )
    entry = session.scalars(select(Entry)).one()
    gone, stays = calls.arrived(session), calls.arrived(session, phone="+8619900005678")
    for call, words in ((gone, "水管里一滴水都没有"), (stays, "龙头放不出水来")):
        tasks.note(session, kind=SignalKind.NO_ENTRY, text="残疾证怎么换", told="找残联", call_id=call.id, now=now)
        offers.note(session, entry=entry, said=[words], call_id=call.id, now=now)
    officer = people.actor(session, Role.SEC)
    for _ in range(2):
        forgetting.forget(session, caller=gone.caller, actor=officer, reason="本人申请", now=now)
    session.expire_all()
    assert gone.caller.phone is None
    signals = session.scalars(select(Signal).order_by(Signal.id)).all()
    assert [(one.text, one.told, one.call_id) for one in signals] == [
        (None, None, None),
        ("残疾证怎么换", "找残联", stays.id),
    ]
    assert session.scalars(select(Offer.text).order_by(Offer.id)).all() == [None, "龙头放不出水来"]
