"""From what was heard to rows and hints; the database and the bus may be away."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import Engine, create_engine, event, make_url, select, text
from sqlalchemy.orm import Session

from hotline.bootstrap import Runtime
from hotline.calls.models import CallLeg, Utterance
from hotline.config import Settings
from hotline.db import SessionFactory, key_ring, make_engine, make_sessions, session_scope
from hotline.knowledge_base import service as knowledge
from hotline.live.base import Hint
from hotline.live.memory import MemoryBus
from hotline.speech.base import Heard
from hotline.web.recorder import Recorder
from tests.conftest import NOON
from tests.factories import calls as make
from tests.waiting import until


@dataclass
class Ledger(MemoryBus):
    """A bus that remembers what was sent."""

    hints: list[Hint] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def publish(self, hint: Hint) -> bool:
        self.hints.append(hint)
        return super().publish(hint)

    def of(self, kind: str) -> list[Hint]:
        return [hint for hint in self.hints if hint.kind == kind]


class Scene:
    """A call in the database, a recorder beside it."""

    def __init__(self, sessions: SessionFactory, settings: Settings, **options: Any) -> None:
        self.sessions, self.bus = sessions, Ledger()
        nobody = cast(Any, None)  # neither the carrier nor the calendar has a part in this
        self.runtime = Runtime(settings, nobody, sessions, nobody, self.bus, nobody, now=lambda: NOON)
        self.recorder = Recorder(self.runtime, **options)

    def leg_of_a_call(self) -> CallLeg:
        with session_scope(self.sessions) as session:
            call = make.arrived(session)
            return session.scalars(select(CallLeg).where(CallLeg.call_id == call.id)).one()

    def utterances(self) -> list[Utterance]:
        with self.sessions() as session:
            return list(session.scalars(select(Utterance).order_by(Utterance.id)))


@pytest.fixture
def scene(sessions: SessionFactory, settings: Settings) -> Iterator[Scene]:
    scene = Scene(sessions, settings)
    yield scene
    scene.recorder.close()


def final(text: str, start_ms: int = 0, end_ms: int = 1000) -> Heard:
    return Heard(text, True, start_ms, end_ms)


def partial(text: str) -> Heard:
    return Heard(text, False, 0, 500)


def test_finals_become_rows_and_a_hint_without_words(scene: Scene) -> None:
    leg = scene.leg_of_a_call()
    recording = scene.recorder.started(leg.id)
    recording.heard(final("家里停水两天了", 300, 2900))
    recording.heard(final("没有人管", 3100, 4000))
    recording.ended(frames=210, dropped=4)
    scene.recorder.close()
    assert [(row.text, row.track, row.start_ms, row.end_ms) for row in scene.utterances()] == [
        ("家里停水两天了", "caller", 300, 2900),
        ("没有人管", "caller", 3100, 4000),
    ]
    assert scene.bus.of("utterance") == [Hint(f"call-{leg.call_id}", "utterance")] * 2
    with scene.sessions() as session:
        row = session.get_one(CallLeg, leg.id)
        assert (row.frames, row.frames_dropped, row.stream_started_at, row.stream_ended_at) == (210, 4, NOON, NOON)


def test_partials_are_told_encrypted_and_never_stored(scene: Scene) -> None:
    leg = scene.leg_of_a_call()
    recording = scene.recorder.started(leg.id)
    until(lambda: recording.leg, "the stream to be noted")
    recording.heard(partial("家里停水"))
    [hint] = until(lambda: scene.bus.of("partial"), "the partial")
    assert "停水".encode() not in hint.body
    assert json.loads(key_ring().decrypt(hint.body)) == {"leg": leg.id, "track": "caller", "text": "家里停水"}
    assert scene.utterances() == []


def publish_entry(session: Session, question: str, answer: str) -> None:
    lines = [json.dumps({"id": "k1", "question": question, "answer": answer}, ensure_ascii=False)]
    knowledge.import_lines(session, lines, actor_id=None, now=NOON)


def test_what_the_caller_says_brings_suggestions_while_they_speak_and_what_the_operator_says_does_not(
    scene: Scene,
) -> None:
    with session_scope(scene.sessions) as session:
        publish_entry(session, "身份证丢了怎么补办", "带户口本到就近派出所办理。")
    leg = scene.leg_of_a_call()
    with session_scope(scene.sessions) as session:
        operators = CallLeg(call_id=leg.call_id, track="operator", state="live", started_at=NOON)
        session.add(operators)
    spoken = scene.recorder.started(operators.id)
    until(lambda: spoken.leg, "the operator's stream to be noted")
    spoken.heard(final("请问您是身份证丢了要补办吗"))
    until(lambda: len(scene.utterances()) == 1, "the operator's words to be written")
    assert scene.bus.of("suggestion") == []
    recording = scene.recorder.started(leg.id)
    until(lambda: recording.leg, "the caller's stream to be noted")
    recording.heard(partial("我想问身份证丢了怎么补办"))
    assert until(lambda: scene.bus.of("suggestion"), "a suggestion") == [Hint(f"call-{leg.call_id}", "suggestion")]


def test_an_answer_that_already_stands_on_the_screen_is_not_written_again(scene: Scene) -> None:
    with session_scope(scene.sessions) as session:
        publish_entry(session, "身份证丢了怎么补办", "带户口本到就近派出所办理。")
    leg = scene.leg_of_a_call()
    recording = scene.recorder.started(leg.id)
    until(lambda: recording.leg, "the stream to be noted")
    recording.heard(final("身份证丢了怎么补办"))
    until(lambda: scene.bus.of("suggestion"), "a suggestion")
    statements: list[str] = []
    event.listen(scene.sessions.kw["bind"], "before_cursor_execute", lambda *args: statements.append(args[2]))
    recording.heard(final("身份证丢了怎么补办"))
    recording.heard(final("嗯嗯"))
    until(lambda: len(scene.utterances()) == 3, "the words to be written")
    scene.recorder.close()
    assert len(scene.bus.of("suggestion")) == 1
    assert not [one for one in statements if "suggest" in one and not one.startswith("SELECT")]


def test_a_stream_of_an_unknown_or_ended_leg_is_refused(scene: Scene) -> None:
    leg = scene.leg_of_a_call()
    with session_scope(scene.sessions) as session:
        session.get_one(CallLeg, leg.id).state = "ended"
    for leg_id in (leg.id, 987654):
        recording = scene.recorder.started(leg_id)
        recording.heard(final("还在吗"))
        until(lambda recording=recording: recording.refused, "the refusal")
    scene.recorder.close()
    assert scene.utterances() == []


class Removable:
    """A database with every table that can be taken away and brought back."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        # of a file its folder: one that is missing would be made anew
        self._here = str(Path(str(self._url.database)).parent if self._url.host is None else self._url.database)
        self._there = f"{self._here}_away"

    def move(self) -> None:
        """Away, where nobody looks for it, or home again."""
        if self._url.host is None:
            Path(self._here).rename(self._there)
        else:
            admin = create_engine(self._url.set(database="postgres"), isolation_level="AUTOCOMMIT")
            with admin.connect() as connection:
                connection.execute(text(f"ALTER DATABASE {self._here} RENAME TO {self._there}"))
            admin.dispose()
        self._here, self._there = self._there, self._here


def test_while_the_database_is_away_finals_wait_in_order_and_are_written_when_it_is_back(
    database_url: str, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    engine = make_engine(database_url, pool_size=1, max_overflow=0)
    scene, database = Scene(make_sessions(engine), settings), Removable(database_url)
    leg = scene.leg_of_a_call()
    engine.dispose()
    database.move()
    with caplog.at_level(logging.DEBUG):
        recording = scene.recorder.started(leg.id)
        for words in ("水管爆了", "在永兴路", "请快来人"):
            recording.heard(final(words))
        until(lambda: scene.recorder.figures()["retries"], "a try that fails")
        assert scene.recorder.figures()["waiting"] == 4
        database.move()
        until(lambda: not scene.recorder.figures()["waiting"], "the database to be found again")
    scene.recorder.close()
    assert [row.text for row in scene.utterances()] == ["水管爆了", "在永兴路", "请快来人"]
    assert scene.recorder.figures()["lost"] == 0
    assert "水管" not in caplog.text
    engine.dispose()


def test_words_whose_commit_was_done_but_not_heard_of_are_not_written_twice(
    engine: Engine, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    leg = scene.leg_of_a_call()
    recording = scene.recorder.started(leg.id)
    until(lambda: recording.leg, "the stream to be noted")
    done = engine.dialect.do_commit
    answers = [engine.dialect.loaded_dbapi.OperationalError("the line was lost before the answer")]

    def commit(connection: Any) -> None:
        done(connection)
        if answers:
            raise answers.pop()

    monkeypatch.setattr(engine.dialect, "do_commit", commit)
    for words in ("停水了", "停水了"):
        recording.heard(final(words))
    until(lambda: not scene.recorder.figures()["waiting"], "the words to be settled")
    assert answers == []
    assert [row.text for row in scene.utterances()] == ["停水了", "停水了"], "said twice, and each written once"
    assert (scene.recorder.figures()["retries"], scene.recorder.figures()["lost"]) == (1, 0)


def test_what_the_bounded_queue_cannot_keep_is_counted_and_closing_does_not_wait_for_ever(
    database_url: str, settings: Settings
) -> None:
    url = make_url(database_url)
    engine = make_engine(url.set(database=f"{url.database}/nowhere").render_as_string(hide_password=False))
    scene = Scene(make_sessions(engine), settings, kept_at_most=3)
    recording = scene.recorder.started(1)
    for _ in range(10):
        recording.heard(final("喂"))
    assert scene.recorder.figures()["waiting"] == 3
    scene.recorder.close()
    assert (scene.recorder.figures()["lost"], scene.recorder.figures()["written"]) == (11, 0)
