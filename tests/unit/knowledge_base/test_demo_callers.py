"""The demo's knowledge against its recorded callers, as the demo model hears them over a telephone line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

import hotline.demo
from hotline.knowledge_base import service
from hotline.knowledge_base.search.hits import Hit, steady, window
from hotline.knowledge_base.search.index import KnowledgeIndex
from hotline.speech.clips import read_wav
from hotline.speech.sound import CHUNK_BYTES, pcm_of
from hotline.speech.vosk import VoskEngine
from hotline.units.service import add_unit
from tests import needs
from tests.conftest import NOON
from tests.unit.knowledge_base.conftest import TODAY

DEMO = Path(hotline.demo.__file__).parent
# whoever praises (d10) or asks for a person (d12) has no question
MATTERS = {
    "d01": "路灯不亮找谁修",
    "d02": "饭店和烧烤油烟扰民怎么投诉",
    "d03": "身份证丢失怎么补办",
    "d04": "老板拖欠工资怎么办",
    "d05": "家里停水怎么报修",
    "d06": "下水道堵塞、污水外溢找谁处理",
    "d07": "异地就医怎么备案和报销",
    "d09": "夜间施工噪声扰民怎么投诉",
    "d11": "暖气不热、室温不达标怎么办",
    "d13": "井盖丢失或破损怎么反映",
    "d14": "孩子入学报名需要什么材料",
    "d15": "路灯不亮找谁修",
    "d16": "消防通道被占、消防隐患怎么举报",
}


@pytest.fixture(scope="module")
def engine_of_speech() -> VoskEngine:
    needs.speech_model()
    return VoskEngine(needs.DEMO_MODEL)


@pytest.fixture
def demo_index(session: Session) -> KnowledgeIndex:
    lines = (DEMO / "data" / "knowledge.jsonl").read_text(encoding="utf-8").splitlines()
    hub = add_unit(session, code="HS", name="热线中心", parent=None)
    for code in {json.loads(line)["owner_unit"] for line in lines}:
        add_unit(session, code=code, name=code, parent=hub)
    result = service.import_lines(session, lines, actor_id=None, now=NOON)
    assert (result.added, result.refused) == (60, [])
    index = KnowledgeIndex()
    index.refresh(session)
    return index


def heard_while_growing(speech: VoskEngine, caller: str) -> list[str]:
    """What has been heard after each change, oldest first."""
    mulaw = read_wav(DEMO / "voices" / "callers" / f"{caller}.wav")
    recogniser = speech.open()
    finals: list[str] = []
    seen: list[str] = []
    pieces = [mulaw[start : start + CHUNK_BYTES] for start in range(0, len(mulaw), CHUNK_BYTES)]
    for result in [*(recogniser.accept(pcm_of(piece)) for piece in pieces), recogniser.finish()]:
        for heard in result:
            seen.append(window([*finals, heard.text]))
            if heard.final:
                finals.append(heard.text)
    return seen


@pytest.mark.speech
@pytest.mark.parametrize("caller", MATTERS)
def test_the_right_answer_is_shown_and_the_list_grows_with_the_words(
    demo_index: KnowledgeIndex, engine_of_speech: VoskEngine, caller: str
) -> None:
    shown = []
    hits: list[Hit] = []
    for text in heard_while_growing(engine_of_speech, caller):
        hits = steady(hits, demo_index.search(text, on=TODAY))
        shown.append([hit.question for hit in hits])
    assert MATTERS[caller] in shown[-1]
    assert shown[0] != shown[-1]  # the first syllables told nothing yet


def test_every_demo_entry_is_fit_to_be_shown_and_read_out() -> None:
    lines = (DEMO / "data" / "knowledge.jsonl").read_text(encoding="utf-8").splitlines()
    asked: set[str] = set()
    for row in map(json.loads, lines):
        assert 60 <= len(row["answer"]) <= 220, row["id"]
        assert 0 < len(row["spoken"]) <= 40, row["id"]
        assert 3 <= len(row["similar"]) <= 6, row["id"]
        assert not asked & {row["question"], *row["similar"]}, row["id"]
        asked |= {row["question"], *row["similar"]}


def test_every_way_of_asking_finds_its_own_entry_first(demo_index: KnowledgeIndex) -> None:
    lines = (DEMO / "data" / "knowledge.jsonl").read_text(encoding="utf-8").splitlines()
    for row in map(json.loads, lines):
        for text in (row["question"], *row["similar"]):
            assert demo_index.search(text, on=TODAY)[0].code == row["id"], text


@pytest.mark.parametrize(
    "told", ["我们小区停水两天了，在永兴路那个五洲国际", "我们小区停水两天了在永兴路那个五洲国际五号楼三单元"]
)
def test_the_matter_is_found_in_the_midst_of_time_and_place(demo_index: KnowledgeIndex, told: str) -> None:
    hits = demo_index.search(told, on=TODAY)
    assert hits[0].question == "家里停水怎么报修"
    assert {"小区", "停水"} <= set(hits[0].matched)


def test_a_matter_garbled_beyond_hearing_shows_nothing(demo_index: KnowledgeIndex) -> None:
    assert demo_index.search("饶阳县大尹村镇交流等一个月了将晚上上不见如", on=TODAY) == []
