"""Whatever editors try, in whatever order: two people stand behind what operators see, and no text is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import hypothesis.strategies as st
from hypothesis import event, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from sqlalchemy import Engine, func, select
from sqlalchemy.orm import Session

from hotline.accounts.roles import Role
from hotline.errors import Invalid, NotAllowedNow, NotFound, NotPermitted
from hotline.knowledge_base import editing, service, writing
from hotline.knowledge_base.content import Content
from hotline.knowledge_base.models import Entry, Version
from hotline.knowledge_base.search.index import KnowledgeIndex
from hotline.knowledge_base.states import EntryState, VersionState
from tests.conftest import NOON
from tests.factories import people

TODAY = date(2026, 11, 18)
EDITORS = 3
QUESTIONS = ("路灯不亮找谁修", "家里停水怎么报修", "老板拖欠工资怎么办", "结婚登记需要什么手续", "夜间施工噪声怎么投诉")
days = st.one_of(st.none(), st.integers(-2, 3).map(lambda days: TODAY + timedelta(days=days)))


class Keeping(RuleBasedStateMachine):
    """A few entries and three editors; each holds the number of the text as it last saw it."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.session = Session(engine, expire_on_commit=False)  # rolled back at the end
        self.editors = [people.actor(self.session, Role.KBE, name=f"编辑{n}") for n in range(EDITORS)]
        self.index = KnowledgeIndex()
        self.seen: dict[tuple[int, int], int] = {}  # (editor, version) -> revision
        self.saved: dict[int, list[str]] = {}  # version -> every question saved in it
        self.wrote: dict[int, set[int]] = {}  # version -> users who wrote in it
        self.published: dict[int, tuple[int, str]] = {}  # entry -> version, question
        self.withdrawn: set[int] = set()

    def teardown(self) -> None:
        event(f"published {len(self.published)}, versions {self.session.scalar(select(func.count(Version.id)))}")
        self.session.rollback()
        self.session.close()

    def versions(self) -> list[Version]:
        return list(self.session.scalars(select(Version).order_by(Version.id)))

    def entries(self) -> list[Entry]:
        return list(self.session.scalars(select(Entry).order_by(Entry.id)))

    def attempt(self, act: Callable[[], object]) -> bool:
        """Return whether it was done; what is refused leaves every text as it was."""
        before = {one.id: (one.state, one.content, one.revision) for one in self.versions()}
        try:
            with self.session.begin_nested():
                act()
                self.session.flush()
        except (NotAllowedNow, NotPermitted, NotFound, Invalid):
            self.session.expire_all()
            assert {one.id: (one.state, one.content, one.revision) for one in self.versions()} == before
            return False
        return True

    # ---- what people try

    @rule(who=st.integers(0, EDITORS - 1), question=st.sampled_from(QUESTIONS))
    def begin(self, who: int, question: str) -> None:
        if len(self.entries()) >= len(QUESTIONS):
            return
        actor = self.editors[who]
        version = editing.start(self.session, actor=actor, now=NOON, content=Content(question, "答案。"))
        self.saved[version.id] = [question]
        self.wrote[version.id] = {actor.user_id or 0}
        self.seen[who, version.id] = version.revision

    @rule(who=st.integers(0, EDITORS - 1), which=st.integers(0, 9))
    def revise(self, who: int, which: int) -> None:
        if not (entries := self.entries()):
            return
        entry, actor = entries[which % len(entries)], self.editors[who]
        was_open = editing.open_version(self.session, entry) is not None
        version = editing.revise(self.session, actor=actor, now=NOON, code=entry.code)
        self.seen[who, version.id] = version.revision
        if not was_open:
            self.saved[version.id] = [version.content["question"]]
            self.wrote[version.id] = {actor.user_id or 0}

    @rule(who=st.integers(0, EDITORS - 1), which=st.integers(0, 9))
    def look(self, who: int, which: int) -> None:
        if versions := self.versions():
            version = versions[which % len(versions)]
            self.seen[who, version.id] = version.revision

    @rule(who=st.integers(0, EDITORS - 1), which=st.integers(0, 9), question=st.sampled_from(QUESTIONS), until=days)
    def save(self, who: int, which: int, question: str, until: date | None) -> None:
        version, revision = self.as_seen(who, which)
        if version is None:
            return
        actor, stale = self.editors[who], revision != version.revision
        content = Content(question, "答案。", valid_to=until)
        done = self.attempt(
            lambda: editing.save(
                self.session, actor=actor, now=NOON, version_id=version.id, revision=revision, content=content
            )
        )
        assert not (done and stale), "what somebody else saved was overwritten"
        if done:
            self.saved[version.id].append(question)
            self.wrote[version.id].add(actor.user_id or 0)
            self.seen[who, version.id] = version.revision

    @rule(
        who=st.integers(0, EDITORS - 1), which=st.integers(0, 9), verb=st.sampled_from(["submit", "take_back", "drop"])
    )
    def move(self, who: int, which: int, verb: str) -> None:
        version, revision = self.as_seen(who, which)
        if version is None:
            return
        act = getattr(editing, verb)
        self.attempt(
            lambda: act(self.session, actor=self.editors[who], now=NOON, version_id=version.id, revision=revision)
        )

    @rule(who=st.integers(0, EDITORS - 1), which=st.integers(0, 9), remark=st.sampled_from(["", "请写明依据"]))
    def send_back(self, who: int, which: int, remark: str) -> None:
        version, revision = self.as_seen(who, which)
        if version is None:
            return
        common = {"actor": self.editors[who], "now": NOON, "version_id": version.id, "revision": revision}
        done = self.attempt(lambda: editing.send_back(self.session, remark=remark, **common))  # type: ignore[arg-type]
        assert not (done and not remark)

    @rule(who=st.integers(0, EDITORS - 1), which=st.integers(0, 9))
    def publish(self, who: int, which: int) -> None:
        version, _ = self.as_seen(who, which)
        if version is None:
            return
        actor, revision = self.editors[who], version.revision
        common = {"actor": actor, "now": NOON, "today": TODAY, "version_id": version.id, "revision": revision}
        if self.attempt(lambda: editing.publish(self.session, **common)):  # type: ignore[arg-type]
            assert actor.user_id not in self.wrote[version.id], "somebody published a text of his own"
            self.published[version.entry_id] = (version.id, version.content["question"])
            self.withdrawn.discard(version.entry_id)

    @rule(which=st.integers(0, 9), who=st.integers(0, EDITORS - 1))
    def take_the_next_step_there_is(self, which: int, who: int) -> None:
        """A random walk seldom gets to the end of the line."""
        waiting = [version for version in self.versions() if version.state in editing.OPEN]
        if not waiting:
            self.begin(who, QUESTIONS[which % len(QUESTIONS)])
            return
        version = waiting[which % len(waiting)]
        place = self.versions().index(version)
        if version.state == VersionState.REVIEW:
            self.publish(who, place)
        else:
            self.look(who, place)
            self.move(who, place, "submit")

    @rule(who=st.integers(0, EDITORS - 1), which=st.integers(0, 9), verb=st.sampled_from(["withdraw", "restore"]))
    def withdraw(self, who: int, which: int, verb: str) -> None:
        if not (entries := self.entries()):
            return
        entry = entries[which % len(entries)]
        act = getattr(service, verb)
        if self.attempt(lambda: act(self.session, code=entry.code, actor_id=self.editors[who].user_id, now=NOON)):
            (self.withdrawn.add if verb == "withdraw" else self.withdrawn.discard)(entry.id)

    def as_seen(self, who: int, which: int) -> tuple[Version | None, int]:
        versions = self.versions()
        if not versions:
            return None, 0
        version = versions[which % len(versions)]
        return version, self.seen.get((who, version.id), version.revision)

    # ---- what holds

    @invariant()
    def operators_see_what_was_published_last_and_nothing_else(self) -> None:
        self.index.refresh(self.session)
        shown = {entry_id: question for entry_id, (_, question) in self.published.items()}
        stands = {entry.id: entry.question for entry in self.entries() if entry.state == EntryState.PUBLISHED}
        assert stands == {entry_id: words for entry_id, words in shown.items() if entry_id not in self.withdrawn}
        assert len(self.index) == len([entry for entry in self.entries() if entry.state == EntryState.PUBLISHED])

    @invariant()
    def an_entry_has_at_most_one_text_in_writing_and_one_that_shows(self) -> None:
        for entry in self.entries():
            states = [one.state for one in self.versions() if one.entry_id == entry.id]
            assert sum(state in editing.OPEN for state in states) <= 1
            assert states.count(VersionState.PUBLISHED) <= 1

    @invariant()
    def every_text_is_still_there(self) -> None:
        texts = {one.id: one.content["question"] for one in self.versions()}
        assert texts == {version_id: questions[-1] for version_id, questions in self.saved.items()}

    @invariant()
    def an_entry_says_what_its_version_says(self) -> None:
        known = writing.Known.of(self.session)
        for entry_id, (version_id, _) in self.published.items():
            version, entry = self.session.get_one(Version, version_id), self.session.get_one(Entry, entry_id)
            assert known.content_of(entry) == Content.of(version.content)
            assert entry.version == version.number


def test_two_people_stand_behind_what_operators_see_and_no_text_is_lost(engine: Engine) -> None:
    run_state_machine_as_test(
        lambda: Keeping(engine), settings=settings(max_examples=40, stateful_step_count=30, deadline=None)
    )
