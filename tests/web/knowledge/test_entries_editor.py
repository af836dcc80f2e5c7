"""The editor and the desk where texts are checked, as forms: without script, and as the page saves by itself."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from hotline.accounts.roles import Role
from hotline.bootstrap import Runtime
from hotline.db import session_scope
from hotline.knowledge_base import editing, tasks
from hotline.knowledge_base.content import Content
from hotline.knowledge_base.models import Attachment, Entry, Signal, Version
from hotline.knowledge_base.queries import entries_by_id
from hotline.knowledge_base.service import import_entries
from hotline.knowledge_base.states import SignalKind
from tests.conftest import NOON
from tests.factories import people
from tests.factories.units import City
from tests.unit.knowledge_base.test_attachments import PDF, docx
from tests.web.shared.browser import Browser
from tests.web.staff import Staff

CARD: dict[str, Any] = {
    "question": "社保卡丢了怎么补办",
    "similar": "社保卡掉了\r\n\r\n 社保卡遗失 ",
    "answer": "**先挂失**\r\n\r\n- 带身份证到窗口",
    "spoken": "先挂失，再补办。",
    "category": "社保",
    "owner_unit": "JZ",
    "public": "1",
    "areas": ["131103"],
}


@dataclass
class Two:
    """Two editors at their browsers, and the database."""

    writer: Browser
    checker: Browser
    runtime: Runtime

    def begin(self, **fields: Any) -> int:
        """Let the writer begin an entry and type; returns the id of its text."""
        version_id = int(self.writer.post("/knowledge/new", {}).headers["Location"].rpartition("/")[2])
        assert self.send(version_id, "save", **CARD | fields).status_code == 303
        return version_id

    def version(self, version_id: int) -> Version:
        """Return the text as it is kept."""
        with self.runtime.sessions() as session:
            return session.get_one(Version, version_id)

    def send(
        self, version_id: int, to: str, *, by: Browser | None = None, revision: int = 0, **fields: Any
    ) -> TestResponse:
        """Send the editor's form."""
        revision = revision or self.version(version_id).revision
        return (by or self.writer).post(f"/knowledge/drafts/{version_id}/{to}", {"revision": revision} | fields)

    def by_itself(self, version_id: int, *, by: Browser | None = None, key: str = "", **fields: Any) -> TestResponse:
        """Save as the page does."""
        who = by or self.writer
        fields = {"csrf_token": who.token, "revision": self.version(version_id).revision} | fields
        headers = {"Accept": "application/json"} | ({"Idempotency-Key": key} if key else {})
        return who.client.post(f"/knowledge/drafts/{version_id}/save", data=fields, headers=headers)

    def check(self, version_id: int, act: str, *, by: Browser | None = None, **fields: Any) -> TestResponse:
        """Publish, or send back."""
        fields = {"revision": self.version(version_id).revision} | fields
        return (by or self.checker).post(f"/knowledge/check/{version_id}/{act}", fields)


@pytest.fixture
def two(here: City, staff: Staff, runtime: Runtime) -> Two:
    """Two editors in the small city."""
    assert here
    with session_scope(runtime.sessions) as session:
        one, other = (people.actor(session, Role.KBE, name=name) for name in ("编辑小钱", "审核小吴"))
    return Two(staff(one), staff(other), runtime)


def test_what_is_typed_is_kept_and_shown_again(two: Two) -> None:
    number = two.begin()
    kept = Content.of(two.version(number).content)
    assert kept.similar == ("社保卡掉了", "社保卡遗失")
    assert kept.answer == "**先挂失**\n\n- 带身份证到窗口"
    assert (kept.owner_unit, kept.areas, kept.public) == ("JZ", ("131103",), True)
    text = two.writer.get(f"/knowledge/drafts/{number}").text
    assert "<strong>先挂失</strong>" in text
    assert 'value="131103" checked' in text
    assert "2027" not in str(kept.valid_to)


def test_a_new_entry_is_to_be_looked_at_again_after_a_year(two: Two) -> None:
    location = two.writer.post("/knowledge/new", {}).headers["Location"]
    assert f'value="{NOON.year + 1}-11-18"' in two.writer.get(location).text


def test_the_page_saves_by_itself_and_the_same_saving_twice_is_one(two: Two) -> None:
    number = two.begin()
    revision = two.version(number).revision
    told = [two.by_itself(number, key="k1", revision=revision, **CARD | {"answer": "边写边存"}).json for _ in range(2)]
    assert told[0] == told[1]
    assert told[0]["revision"] == two.version(number).revision == revision + 1
    assert told[0]["base"]["answer"] == "边写边存"


def test_a_field_at_fault_is_told_in_words_and_the_rest_is_kept(two: Two) -> None:
    number = two.begin()
    wrong = {"source_url": "www.example.org", "valid_from": "2026-12-01", "valid_to": "2026-11-01", "answer": "新答案"}
    told = two.by_itself(number, **CARD | wrong)
    assert told.status_code == 200
    assert told.json["faults"] == {
        "source_url": "依据链接 应以 https:// 或 http:// 开头",
        "valid_to": "失效日期 早于 生效日期",
    }
    assert two.version(number).content["answer"] == "新答案"
    page = two.send(number, "save", **CARD | wrong)
    assert page.status_code == 422
    assert 'value="www.example.org"' in page.text
    assert "依据链接 应以 https://" in page.text


def test_an_unfinished_text_is_kept_and_what_it_lacks_stands_beside_the_field(two: Two) -> None:
    number = two.begin()
    page = two.send(number, "submit", **CARD | {"answer": ""})
    assert page.status_code == 422
    assert "请填写答案" in page.text
    assert two.version(number).state == "draft"
    assert two.version(number).content["answer"] == ""


def test_written_sent_back_mended_and_published_by_a_colleague(two: Two) -> None:
    number = two.begin()
    assert two.send(number, "submit", **CARD).status_code == 303
    assert "您写过这一稿" in two.writer.get(f"/knowledge/check/{number}").text
    assert two.check(number, "publish", by=two.writer).status_code == 403
    page = two.checker.get("/knowledge/check").text
    assert "社保卡丢了怎么补办" in page
    assert "待审核</a>" not in page
    assert two.check(number, "send-back", remark="").status_code == 422
    assert two.check(number, "send-back", remark="请写明工本费").status_code == 303
    assert "请写明工本费" in two.writer.get(f"/knowledge/drafts/{number}").text
    assert two.send(number, "submit", **CARD | {"answer": "工本费 20 元。"}).status_code == 303
    assert "工本费 20 元" in two.checker.get(f"/knowledge/check/{number}").text
    assert two.check(number, "publish").headers["Location"] == "/knowledge/check"
    assert two.version(number).state == "published"
    with two.runtime.sessions() as session:
        two.runtime.knowledge.refresh(session)
        (hit,) = two.runtime.knowledge.search("社保卡掉了", on=two.runtime.today())
        assert entries_by_id(session, [hit.entry_id])[hit.entry_id].answer == "工本费 20 元。"


def test_what_was_submitted_can_be_taken_back_and_what_was_given_up_picked_up(two: Two) -> None:
    number = two.begin()
    two.send(number, "submit", **CARD)
    assert two.writer.get(f"/knowledge/drafts/{number}").headers["Location"] == f"/knowledge/check/{number}"
    assert two.writer.post(f"/knowledge/drafts/{number}/take-back").status_code == 303
    assert two.writer.post(f"/knowledge/drafts/{number}/drop").status_code == 303
    entry_id = two.version(number).entry_id
    assert "已放弃" in two.writer.get(f"/knowledge/entries/{entry_id}").text
    assert "社保卡丢了怎么补办" not in two.writer.get("/knowledge").text
    assert "社保卡丢了怎么补办" in two.writer.get("/knowledge?show=dropped").text
    answer = two.writer.post(f"/knowledge/drafts/{number}/pick-up")
    again = int(answer.headers["Location"].rpartition("/")[2])
    assert again != number
    assert two.version(again).content == two.version(number).content


def collide(two: Two, number: int, theirs: dict[str, Any], mine: dict[str, Any]) -> tuple[dict[str, Any], TestResponse]:
    """Let the checker save while the writer types; returns the writer's form and what the site answers."""
    before = two.version(number)
    two.send(number, "save", by=two.checker, **CARD | theirs)
    form = CARD | mine | {"base": json.dumps(before.content)}
    return form, two.send(number, "save", revision=before.revision, **form)


def unmarked(page: TestResponse) -> str:
    """Return a page without the marks around what differs."""
    return page.text.replace("<mark>", "").replace("</mark>", "")


def test_the_second_of_two_editors_is_shown_both_texts_and_nothing_is_lost(two: Two) -> None:
    number = two.begin()
    theirs = {"answer": "小吴的答案", "category": "社会保障", "similar": "社保卡掉了\n社保卡遗失\n卡没了"}
    form, page = collide(two, number, theirs, {"answer": "小钱的答案", "spoken": "小钱的短句"})
    assert page.status_code == 409
    for seen in (
        "审核小吴",
        "小吴的答案",
        "小钱的答案",
        "小钱的短句",
        "卡没了",
        "两人都改了",
        "只有您改过",
        "您没有改过",
    ):
        assert seen in unmarked(page), seen
    assert two.version(number).content["answer"] == "小吴的答案"
    taken = {
        "take_answer": "merged",
        "merged_answer": "两人的答案",
        "take_spoken": "mine",
        "take_category": "theirs",
        "take_similar": "theirs",
    }
    assert two.send(number, "merge", **form | taken).status_code == 303
    kept = Content.of(two.version(number).content)
    assert (kept.answer, kept.spoken, kept.category) == ("两人的答案", "小钱的短句", "社会保障")
    assert kept.similar[-1] == "卡没了"


def test_merging_again_meets_a_third_saving_and_shows_that_too(two: Two) -> None:
    number = two.begin()
    form, _page = collide(two, number, {"answer": "小吴的答案"}, {"answer": "小钱的答案"})
    seen = two.version(number).revision
    two.send(number, "save", by=two.checker, **CARD | {"answer": "小吴又改了"})
    page = two.send(number, "merge", revision=seen, **form | {"take_answer": "mine"})
    assert page.status_code == 409
    assert "小吴又改了" in unmarked(page)
    assert "小钱的答案" in page.text


def test_two_who_typed_the_same_are_no_two(two: Two) -> None:
    number = two.begin()
    _form, page = collide(two, number, {"answer": "一样的"}, {"answer": "一样的"})
    assert page.status_code == 303


def test_the_page_that_saves_by_itself_is_told_of_the_other_text(two: Two) -> None:
    number = two.begin()
    before = two.version(number).revision
    two.send(number, "save", by=two.checker, **CARD | {"answer": "小吴的"})
    told = two.by_itself(number, revision=before, **CARD | {"answer": "小钱的"})
    assert told.status_code == 409
    assert "同事保存了另一稿" in told.json["message"]


@pytest.mark.parametrize("published", [False, True])
def test_what_was_typed_after_a_colleague_submitted_or_published_becomes_a_draft_again(
    two: Two, published: bool
) -> None:
    number = two.begin()
    before = two.version(number)
    two.send(number, "submit", **CARD)
    if published:
        two.check(number, "publish")
    form = CARD | {"answer": "还在写的", "base": json.dumps(before.content)}
    page = two.send(number, "save", revision=before.revision, **form)
    assert page.status_code == 409
    assert "还在写的" in page.text
    answer = two.send(number, "merge", **form | {"take_answer": "mine"})
    assert answer.status_code == 303
    on = two.version(int(answer.headers["Location"].rpartition("/")[2]))
    assert (on.state, on.content["answer"]) == ("draft", "还在写的")
    assert (on.id != number) is published


def attach(two: Two, number: int, *files: tuple[bytes, str]) -> TestResponse:
    """Add files to a text."""
    return two.send(number, "files", **CARD, files=[(io.BytesIO(body), name) for body, name in files])


def test_files_are_attached_taken_off_and_only_ever_downloaded(two: Two) -> None:
    number = two.begin()
    assert attach(two, number, (PDF, "通知.pdf"), (docx(), "申请表.docx")).status_code == 303
    version = two.version(number)
    first, second = version.content["attachments"]
    answer = two.writer.get(f"/knowledge/entries/{version.entry_id}/files/{first}")
    assert answer.data == PDF
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    two.send(number, "save", **CARD | {"attachments": [second]})
    assert two.version(number).content["attachments"] == [second]
    assert two.writer.get(f"/knowledge/entries/{version.entry_id}/files/999").status_code == 404
    refused = attach(two, number, (b"MZ", "病毒.exe"))
    assert refused.status_code == 422
    assert "只能添加 PDF" in refused.text
    with two.runtime.sessions() as session:
        assert len(session.scalars(select(Attachment.id)).all()) == 2


def test_every_member_of_staff_may_download_what_a_published_text_shows(two: Two, staff: Staff, here: City) -> None:
    number = two.begin()
    attach(two, number, (PDF, "申请表.pdf"))
    version = two.version(number)
    address = f"/knowledge/entries/{version.entry_id}/files/{version.content['attachments'][0]}"
    operator = staff(here.operator)
    assert operator.get(address).status_code == 404
    two.send(number, "submit", **CARD | {"attachments": version.content["attachments"]})
    two.check(number, "publish")
    assert operator.get(address).data == PDF


def test_what_changed_under_the_eyes_of_who_checks_is_read_again_before_it_is_decided(two: Two) -> None:
    number = two.begin()
    two.send(number, "submit", **CARD)
    read = two.version(number).revision
    two.writer.post(f"/knowledge/drafts/{number}/take-back")
    two.send(number, "submit", **CARD | {"answer": "悄悄改了"})
    for act in ("publish", "send-back"):
        answer = two.check(number, act, revision=read, remark="不行")
        assert answer.headers["Location"] == f"/knowledge/check/{number}"
        assert "请重新看一遍再决定" in two.checker.get(answer.headers["Location"]).text
    assert two.version(number).state == "review"


def test_a_day_that_has_passed_is_told_before_a_colleague_reads_it(two: Two) -> None:
    number = two.begin()
    page = two.send(number, "submit", **CARD | {"valid_to": "2026-11-01", "review_on": "2026-11-18"})
    assert page.status_code == 422
    assert "失效日期已经过了" in page.text
    assert "复核日期应在今天之后" in page.text


def test_a_refused_file_does_not_hide_what_a_colleague_saved_meanwhile(two: Two) -> None:
    number = two.begin()
    seen = two.version(number).revision
    refused = two.send(number, "files", **CARD, files=[(io.BytesIO(b"MZ"), "a.exe")])
    assert refused.status_code == 422
    assert f'name="revision" value="{seen}"' in refused.text
    two.send(number, "save", by=two.checker, **CARD | {"answer": "小吴的"})
    assert two.send(number, "save", revision=seen, **CARD | {"answer": "小钱的"}).status_code == 409


def test_script_in_an_answer_is_shown_as_text_everywhere(two: Two) -> None:
    evil = '<script>alert(1)</script> <img src=x onerror=alert(2)> [点](javascript:alert(3)) "><svg onload=alert(4)>'
    number = two.begin(answer=evil, question=evil, spoken=evil, similar=evil, note=evil)
    two.send(number, "submit", **CARD | {"answer": evil, "question": evil, "note": evil})
    entry_id = two.version(number).entry_id
    pages = [f"/knowledge/check/{number}", f"/knowledge/entries/{entry_id}", "/knowledge", "/knowledge/check"]
    for page in (*pages, f"/knowledge/entries/{entry_id}/versions/1"):
        text = two.checker.get(page).text
        for live in ("<script>alert", "<img src=x", 'href="javascript:', "<svg onload"):
            assert live not in text, (page, live)
    fragment = two.writer.htmx(f"/knowledge/drafts/{number}/preview", {"answer": evil})
    assert "&lt;script&gt;" in fragment.text


def test_beside_the_text_stands_what_is_alike_and_whom_it_would_have_answered(two: Two) -> None:
    with session_scope(two.runtime.sessions) as session:
        import_entries(
            session, [{"id": "K1", "question": "社保卡丢失怎样补办", "answer": "x"}], actor_id=None, now=NOON
        )
        asked = ("我那个社包卡掉了怎么办啊", "路灯不亮找谁")
        session.add_all([Signal(kind="no_result", text=text, at=two.runtime.now()) for text in asked])
    number = two.begin()
    text = two.writer.get(f"/knowledge/drafts/{number}/beside").text
    assert "社保卡丢失怎样补办" in text
    assert "我那个社包卡掉了怎么办啊" in text
    assert "路灯不亮找谁" not in text
    other = two.begin(question="社保卡掉了如何补办", similar="")
    assert "同事正在写" in two.writer.get(f"/knowledge/drafts/{other}/beside").text


def test_what_operators_found_wrong_stands_beside_until_a_mended_text_is_published(two: Two) -> None:
    number = two.begin()
    two.send(number, "submit", **CARD)
    two.check(number, "publish")
    entry_id = two.version(number).entry_id
    with session_scope(two.runtime.sessions) as session:
        for text in ("窗口说不用身份证", "还要照片"):
            tasks.note(session, kind=SignalKind.WRONG, text=text, entry_id=entry_id, now=two.runtime.now())
    assert "话务员标错 2 次" in two.writer.get(f"/knowledge/entries/{entry_id}").text
    answer = two.writer.post(f"/knowledge/entries/{entry_id}/revise", {})
    assert "窗口说不用身份证" in two.writer.get(answer.headers["Location"]).text
    second = int(answer.headers["Location"].rpartition("/")[2])
    two.send(second, "submit", **CARD | {"answer": "带照片到窗口。"})
    two.check(second, "publish")
    assert "标错 2 次" not in two.writer.get(f"/knowledge/entries/{entry_id}").text


def test_many_are_published_together_and_each_refused_one_is_named(two: Two, here: City) -> None:
    numbers = [two.begin(question=f"第{number}个问题") for number in (1, 2, 3)]
    for number, name in zip(numbers, "123", strict=True):
        two.send(number, "submit", **CARD | {"question": f"第{name}个问题"})
    ticks = [f"{number}.{two.version(number).revision}" for number in numbers]
    two.writer.post(f"/knowledge/drafts/{numbers[1]}/take-back")
    page = two.checker.post("/knowledge/check/publish", {"version": ticks})
    assert page.status_code == 422
    assert "1 条没有发布" in page.text
    assert "第2个问题</b>：这个版本的状态已变化" in page.text
    assert [two.version(number).state for number in numbers] == ["published", "draft", "published"]
    assert two.checker.post("/knowledge/check/publish", {"version": "x"}).status_code == 400
    assert "请先勾选" in two.checker.post("/knowledge/check/publish").text
    own = two.begin(question="自己写的")
    two.send(own, "submit", **CARD | {"question": "自己写的"})
    refused = two.writer.post("/knowledge/check/publish", {"version": f"{own}.{two.version(own).revision}"})
    assert "自己写的</b>：自己写的内容要由另一位同事审核发布" in refused.text
    assert two.version(own).state == "review"


def test_what_is_checked_is_compared_with_what_operators_see_now(two: Two) -> None:
    number = two.begin()
    two.send(number, "submit", **CARD)
    two.check(number, "publish")
    with session_scope(two.runtime.sessions) as session:
        entry = session.scalars(select(Entry)).one()
        writer = session.get_one(Version, number).writers[0]
    answer = two.writer.post(f"/knowledge/entries/{entry.id}/revise", {})
    second = int(answer.headers["Location"].rpartition("/")[2])
    two.send(second, "submit", **CARD | {"spoken": "先补办。", "note": "改短"})
    page = two.checker.get(f"/knowledge/check/{second}").text
    assert "与现在发布的第 1 版相比" in page
    assert "<dt>口语短句</dt>" in page
    assert "<dt>答案</dt>" not in page
    assert "改短" in page
    assert writer


@pytest.mark.parametrize("odd", ["9" * 22, "😀" * 3_000, "\x00", "0001-01-01"])
def test_nonsense_in_any_field_is_never_a_fault_of_ours(two: Two, odd: str) -> None:
    number = two.begin()
    fields = ("question", "similar", "answer", "spoken", "category", "owner_unit", "source", "source_url", "areas")
    more = (
        "attachments",
        "valid_from",
        "valid_to",
        "review_on",
        "note",
        "base",
        "take_answer",
        "merged_answer",
        "like",
    )
    form = dict.fromkeys((*fields, *more), odd)
    urls: list[Callable[[], TestResponse]] = [
        *(lambda to=to: two.send(number, to, **form) for to in ("save", "submit", "merge", "files", "preview")),
        lambda: two.by_itself(number, **form),
        lambda: two.send(number, "save", **form | {"revision": odd}),
        lambda: two.writer.post("/knowledge/new", form),
        lambda: two.check(number, "send-back", remark=odd),
    ]
    for send in urls:
        assert send().status_code in {200, 303, 400, 409, 422}


def test_an_import_meanwhile_is_what_the_revision_is_compared_with(two: Two) -> None:
    with session_scope(two.runtime.sessions) as session:
        row = {"id": "K1", "question": "路灯不亮找谁修", "answer": "城管维修。"}
        import_entries(session, [row], actor_id=None, now=NOON)
        entry = session.scalars(select(Entry).where(Entry.code == "K1")).one()
        actor = people.actor(session, Role.KBE)
        draft = editing.revise(session, actor=actor, now=NOON, code="K1")
        content = replace(Content.of(draft.content), answer="城管 24 小时内维修。")
        draft = editing.save(
            session, actor=actor, now=NOON, version_id=draft.id, revision=draft.revision, content=content
        )
        editing.submit(session, actor=actor, now=NOON, version_id=draft.id, revision=draft.revision)
        import_entries(session, [row | {"answer": "城管局维修。"}], actor_id=None, now=NOON)
    page = two.checker.get(f"/knowledge/check/{draft.id}").text
    assert "城管局" in page
    assert entry.id
