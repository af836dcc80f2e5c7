"""Verbs on offers: words that an entry answered, taken by editors as another way to ask for it, or not."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from hotline.accounts.service import Actor
from hotline.errors import Invalid, NotAllowedNow, NotFound
from hotline.knowledge_base import editing
from hotline.knowledge_base.content import Content
from hotline.knowledge_base.language.alike import nearest
from hotline.knowledge_base.language.scrub import LONGEST, MASK, scrub
from hotline.knowledge_base.models import Entry, Offer, Version
from hotline.knowledge_base.rows import SIMILAR_AT_MOST
from hotline.knowledge_base.states import OFFER, OfferAction, OfferState, VersionState

ALIKE: Final = 0.7  # words this like what an entry, or an offer of it, has already are of no use
RELATED: Final = 0.1  # less in common than this is chance
SHORTEST: Final = 4  # characters; less is no question


def last_said(said: Sequence[str], *, at_most: int = LONGEST) -> str:
    """Return the last sentences that fit into so many characters, the last one cut from its beginning if need be."""
    kept: list[str] = []
    room = at_most
    for sentence in reversed(said):
        if kept and len(sentence) > room:
            break
        kept.append(sentence[-at_most:])
        room -= len(kept[-1]) + 1
    return "，".join(reversed(kept))


def note(session: Session, *, entry: Entry, said: Sequence[str], call_id: int, now: datetime) -> Offer | None:
    """Offer what a caller said before an entry was used; None when it teaches nothing new.

    Of all that was said last, the sentence is offered that has most in common with the entry; when none has anything,
    all of it: those are the words nobody has thought of.
    """
    phrasings = [entry.question, *(one.text for one in entry.similar)]
    sentences = [words for one in last_said(said).split("，") if len(words := scrub(one)) >= SHORTEST]
    if not sentences:
        return None
    close = {sentence: nearest(sentence, phrasings) for sentence in sentences}
    best = max(sentences, key=lambda sentence: close[sentence])
    words = best if close[best] >= RELATED else scrub("，".join(sentences))
    open_offers = select(Offer.text).where(Offer.entry_id == entry.id, Offer.state == OfferState.OFFERED)
    offered = [text for text in session.scalars(open_offers) if text]
    if len(words.replace(MASK, "")) < SHORTEST or nearest(words, [*phrasings, *offered]) >= ALIKE:
        return None
    values = {"entry_id": entry.id, "call_id": call_id, "text": words, "state": OfferState.OFFERED, "at": now}
    # marked, taken back and marked again: what an editor decided about the words meanwhile stands
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(insert(Offer).values(values).on_conflict_do_nothing())
    return session.scalars(select(Offer).where(Offer.call_id == call_id, Offer.entry_id == entry.id)).one()


def take_back(session: Session, *, call_id: int, entry_id: int) -> None:
    """The entry was not what answered these words. What an editor has decided stands."""
    session.execute(
        delete(Offer).where(Offer.call_id == call_id, Offer.entry_id == entry_id, Offer.state == OfferState.OFFERED)
    )


def take(session: Session, *, offer_ids: Collection[int], actor: Actor, now: datetime) -> list[Version]:
    """Put the words of these offers into a text of their entries, which others check and publish; one text for each.

    Raises ``NotAllowedNow`` when an entry's text is being checked, ``Invalid`` when an entry has too many questions.
    """
    taken = _moved(session, offer_ids, OfferAction.TAKE, actor=actor, now=now)
    taken.sort(key=lambda offer: (offer.entry_id, offer.id))
    return [
        add_questions(session, entry, [offer.text for offer in own if offer.text], actor=actor, now=now)
        for entry, own in groupby(taken, key=lambda offer: offer.entry)
    ]


def refuse(session: Session, *, offer_ids: Collection[int], actor: Actor, now: datetime) -> None:
    """These words do not ask for that entry."""
    _moved(session, offer_ids, OfferAction.REFUSE, actor=actor, now=now)


def reopen(session: Session, *, offer_ids: Collection[int], actor: Actor, now: datetime) -> None:
    """Take a refusal back."""
    _moved(session, offer_ids, OfferAction.REOPEN, actor=actor, now=now)


def add_questions(
    session: Session, entry: Entry, questions: Collection[str], *, actor: Actor, now: datetime
) -> Version:
    """Put similar questions into the text of an entry that is being written; one is begun when there is none.

    Raises as ``take`` does.
    """
    version = editing.revise(session, actor=actor, now=now, code=entry.code)
    if version.state == VersionState.REVIEW:
        raise NotAllowedNow(f"“{entry.question[:20]}”正在审核，请等发布或退回后再加")
    content = Content.of(version.content)
    similar = tuple(dict.fromkeys((*content.similar, *(one for one in questions if one != content.question))))
    if len(similar) > SIMILAR_AT_MOST:
        fault = f"“{entry.question[:20]}”的相似问已满 {SIMILAR_AT_MOST} 条"
        raise Invalid(fault, similar=fault)
    return editing.save(
        session,
        actor=actor,
        now=now,
        version_id=version.id,
        revision=version.revision,
        content=replace(content, similar=similar),
        note=version.note or "加入市民的问法",
    )


def _moved(
    session: Session, offer_ids: Collection[int], action: OfferAction, *, actor: Actor, now: datetime
) -> list[Offer]:
    wanted = set(offer_ids)
    found = list(
        session.scalars(
            select(Offer)
            .where(Offer.id.in_(wanted))
            .order_by(Offer.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )
    if len(found) < len(wanted) or not wanted:
        raise NotFound("没有这句话")
    for offer in found:
        state = OFFER.get((OfferState(offer.state), action))
        if state is None:
            raise NotAllowedNow("这句话已经处理过了")
        offer.state = state
        reopened = state is OfferState.OFFERED
        offer.decided_at = None if reopened else now
        offer.decided_by = None if reopened else actor.user_id
    session.flush()
    return found
