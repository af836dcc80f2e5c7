"""A text of an entry between two people: written, checked, published, and nothing of it lost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline import audit
from hotline.accounts.roles import Role
from hotline.accounts.service import Actor
from hotline.errors import Invalid, NotAllowedNow, NotFound, NotPermitted
from hotline.knowledge_base import editing, service
from hotline.knowledge_base.content import Content
from hotline.knowledge_base.models import Entry, Version
from hotline.knowledge_base.search.index import KnowledgeIndex
from tests.conftest import NOON
from tests.factories import people
from tests.unit.knowledge_base.conftest import TODAY

CARD = Content(question="社保卡丢了怎么补办", answer="带身份证到窗口。", similar=("社保卡掉了",))


@dataclass
class Desk:
    """Two editors and a draft between them."""

    session: Session
    writer: Actor
    checker: Actor

    def draft(self, content: Content = CARD) -> Version:
        """Let the writer begin an entry."""
        return editing.start(self.session, actor=self.writer, now=NOON, content=content)

    def save(self, version: Version, content: Content, *, by: Actor | None = None, revision: int = 0) -> Version:
        """Save a text."""
        return editing.save(
            self.session,
            actor=by or self.writer,
            now=NOON,
            version_id=version.id,
            revision=revision or version.revision,
            content=content,
        )

    def submit(self, version: Version) -> Version:
        """Ask for it to be checked."""
        return editing.submit(
            self.session, actor=self.writer, now=NOON, version_id=version.id, revision=version.revision
        )

    def publish(self, version: Version, *, by: Actor | None = None) -> Version:
        """Check and publish it."""
        return editing.publish(
            self.session,
            actor=by or self.checker,
            now=NOON,
            today=TODAY,
            version_id=version.id,
            revision=version.revision,
        )

    def states(self, entry: Entry) -> list[str]:
        """Return the state of every version in the database, the first one first."""
        self.session.expire_all()
        wanted = select(Version.state).where(Version.entry_id == entry.id).order_by(Version.number)
        return list(self.session.scalars(wanted))


@pytest.fixture
def desk(session: Session) -> Desk:
    """Two editors."""
    kbe = [people.actor(session, Role.KBE, name=name) for name in ("编辑小钱", "审核小吴")]
    return Desk(session, *kbe)


def test_what_one_wrote_another_publishes_and_operators_find_it(desk: Desk) -> None:
    index = KnowledgeIndex()
    version = desk.submit(desk.draft())
    index.refresh(desk.session)
    assert index.search("社保卡丢了怎么补办", on=TODAY) == []
    desk.publish(version)
    index.refresh(desk.session)
    (hit,) = index.search("社保卡掉了", on=TODAY)
    assert hit.entry_id == version.entry_id
    assert version.entry.answer == "带身份证到窗口。"
    assert version.entry.version == 1
    assert desk.states(version.entry) == ["published"]


def test_whoever_wrote_in_it_does_not_publish_it(desk: Desk) -> None:
    version = desk.save(desk.draft(), replace(CARD, answer="改过"), by=desk.checker)
    version = desk.submit(version)
    for one in (desk.writer, desk.checker):
        with pytest.raises(NotPermitted), desk.session.begin_nested():
            desk.publish(version, by=one)


def test_the_published_text_goes_on_serving_until_the_next_one_takes_its_place(desk: Desk) -> None:
    entry = desk.publish(desk.submit(desk.draft())).entry
    second = editing.revise(desk.session, actor=desk.writer, now=NOON, code=entry.code)
    second = desk.save(second, replace(CARD, answer="工本费 20 元。"))
    assert entry.answer == "带身份证到窗口。"
    desk.publish(desk.submit(second))
    assert entry.answer == "工本费 20 元。"
    assert desk.states(entry) == ["superseded", "published"]
    assert editing.content_of(desk.session, entry).answer == "工本费 20 元。"


def test_of_two_who_save_the_second_gets_what_the_first_one_saved(desk: Desk) -> None:
    version = desk.draft()
    seen = version.revision
    desk.save(version, replace(CARD, answer="小钱的"), revision=seen)
    with pytest.raises(NotAllowedNow) as told:
        desk.save(version, replace(CARD, answer="小吴的"), by=desk.checker, revision=seen)
    theirs = told.value.details["theirs"]
    assert isinstance(theirs, Content)
    assert (theirs.answer, told.value.details["by"]) == ("小钱的", "编辑小钱")
    assert told.value.details["revision"] == version.revision


def test_sent_back_it_comes_with_a_reason_and_can_be_mended(desk: Desk) -> None:
    version = desk.submit(desk.draft())
    told = {"actor": desk.checker, "now": NOON, "version_id": version.id, "revision": version.revision}
    with pytest.raises(Invalid), desk.session.begin_nested():
        editing.send_back(desk.session, remark=" ", **told)
    version = editing.send_back(desk.session, remark="缺工本费", **told)
    assert (version.state, version.remark) == ("draft", "缺工本费")
    version = desk.submit(desk.save(version, replace(CARD, answer="工本费 20 元。")))
    assert version.remark == ""
    desk.publish(version)


def test_an_unfinished_text_is_kept_but_not_submitted(desk: Desk) -> None:
    version = desk.save(desk.draft(Content(question="")), Content(question="", answer="先写答案"))
    with pytest.raises(Invalid) as told:
        desk.submit(version)
    assert set(told.value.details) == {"question"}


def test_what_has_run_out_is_not_published(desk: Desk) -> None:
    version = desk.submit(desk.draft(replace(CARD, valid_to=TODAY - timedelta(days=1))))
    with pytest.raises(Invalid):
        desk.publish(version)


def test_a_text_names_no_unit_area_or_file_that_is_not_there(desk: Desk) -> None:
    version = desk.draft()
    for wrong, field in (
        (replace(CARD, owner_unit="XX"), "owner_unit"),
        (replace(CARD, areas=("999999",)), "areas"),
        (replace(CARD, attachments=(7,)), "attachments"),
    ):
        with pytest.raises(Invalid) as told, desk.session.begin_nested():
            desk.save(version, wrong)
        assert field in told.value.details


def test_a_text_that_was_given_up_can_be_written_on(desk: Desk) -> None:
    entry = desk.publish(desk.submit(desk.draft())).entry
    second = editing.revise(desk.session, actor=desk.writer, now=NOON, code=entry.code)
    second = desk.save(second, replace(CARD, answer="写到一半"))
    gone = editing.drop(desk.session, actor=desk.writer, now=NOON, version_id=second.id, revision=second.revision)
    third = editing.revise(desk.session, actor=desk.checker, now=NOON, code=entry.code, like=gone.number)
    assert (third.number, third.content["answer"]) == (3, "写到一半")
    assert desk.states(entry) == ["published", "dropped", "draft"]
    with pytest.raises(NotFound):
        editing.revise(desk.session, actor=desk.writer, now=NOON, code="none")


def test_two_who_begin_to_revise_at_once_write_in_the_same_draft(desk: Desk) -> None:
    entry = desk.publish(desk.submit(desk.draft())).entry
    one, two = (
        editing.revise(desk.session, actor=who, now=NOON, code=entry.code) for who in (desk.writer, desk.checker)
    )
    assert one.id == two.id


def test_why_an_entry_was_withdrawn_stands_in_its_log(desk: Desk) -> None:
    entry = desk.publish(desk.submit(desk.draft())).entry
    service.withdraw(desk.session, code=entry.code, actor_id=desk.writer.user_id, now=NOON, reason="政策改了")
    [row] = [one for one in audit.of(desk.session, "kb_entries", entry.code) if one.act == "knowledge.withdraw"]
    assert row.reason == "政策改了"
