"""A paper becomes questions by its own clauses: nothing of it is lost, and nobody is asked an empty one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.knowledge_base import answers
from hotline.knowledge_base.documents import marking
from hotline.knowledge_base.documents.blocks import Block, Document, clean
from hotline.knowledge_base.documents.clauses import split
from hotline.knowledge_base.documents.contents import without_contents
from hotline.knowledge_base.documents.marks import mark_of
from tests.unit.knowledge_base.policies import ALL, GUIDE, NOTICE, OPINION, QUESTIONS, bare, document, drafts


def test_a_notice_and_what_it_issues_are_cut_at_the_articles() -> None:
    found = drafts(NOTICE)
    assert [(one.document, one.clause) for one in found] == [
        ("衡水市人民政府办公室关于印发《衡水市养犬管理办法》的通知", ""),
        ("衡水市养犬管理办法", "第一条"),
        ("衡水市养犬管理办法", "第二条"),
        ("衡水市养犬管理办法", "第三条"),
        ("衡水市养犬管理办法", "第四条"),
        ("衡水市养犬管理办法", "第五条"),
        ("养犬登记申请表", ""),
    ]
    notice, _, second, third, fourth, *_ = found
    assert notice.answer.startswith("《衡水市养犬管理办法》已经市政府")
    assert "2. 养犬承诺书" in notice.text and "2026年3月1日" in notice.text and "2026年3月1日" not in notice.answer
    assert notice.source == "《衡水市人民政府办公室关于印发〈衡水市养犬管理办法〉的通知》"
    assert second.answer == "本市行政区域内的养犬管理，适用本办法。\n\n军用犬、警用犬的管理按照国家有关规定执行。"
    assert third.path == ("第二章 养犬登记", "第三条")
    assert third.source == "《衡水市养犬管理办法》第三条"
    assert third.question == "《衡水市养犬管理办法》第三条：养犬登记"
    # a sentence about 第三条 begins no article, and the list stays in its article
    assert fourth.question == "个人申请养犬登记需要符合哪些条件"
    assert answers.plain(fourth.answer).splitlines()[1:] == [
        "（一）有本市居住证明；",
        "（二）独户居住；",
        "（三）犬只已经免疫，具体包括：",
        "1.狂犬病疫苗；",
        "2.其他疫苗。",
        "第三条规定的登记，七个工作日内办结。",
    ]


def test_a_service_guide_is_asked_for_its_terms_papers_and_hours() -> None:
    subject = "衡水市城乡居民基本养老保险待遇申领"
    found = drafts(GUIDE)
    assert [one.question for one in found] == [
        f"{subject}的申请条件是什么",
        f"办理{subject}需要哪些材料",
        f"{subject}的办理流程是什么",
        f"{subject}的办理时限是多久",
        f"{subject}的咨询电话是多少",
    ]
    assert answers.plain(found[1].answer) == "1.居民身份证；\n2.社会保障卡；\n3.银行卡。"
    assert "（二）审核" in found[2].answer  # steps that belong together stay together
    assert found[3].answer == "20个工作日。"
    assert found[4].source == f"《{subject}办事指南》五、咨询电话"


def test_questions_with_answers_are_taken_as_they_are_asked() -> None:
    found = drafts(QUESTIONS)
    assert [one.question for one in found] == ["社保卡丢了怎么办？", "补卡多久能拿到？", "可以网上缴费吗？"]
    assert [one.clause for one in found] == ["问题1", "问题2", "问题3"]
    assert found[0].path == ("一、补卡类", "社保卡丢了怎么办？")
    assert answers.plain(found[0].answer).endswith("（二）缴纳工本费。")  # numbers in an answer are its own
    assert found[2].answer == "可以，登录河北税务网上缴费。"
    assert found[2].path[0] == "二、缴费类"


def test_an_opinion_is_cut_at_the_measures_and_their_first_words_are_the_heading() -> None:
    found = drafts(OPINION)
    assert [one.clause for one in found] == [
        "",
        "一、（一）加强组织领导",
        "一、（二）完善服务体系",
        "二、（一）一次性创业补贴",
        "二、（二）创业担保贷款",
    ]
    assert found[3].path == ("二、支持政策", "（一）一次性创业补贴")
    assert found[3].answer.startswith("首次创办小微企业")
    assert found[4].answer.endswith("受理审核。") and found[4].text.endswith("2026年6月18日")


def test_headings_told_by_styles_alone_divide_and_nest() -> None:
    blocks = (
        Block("停车管理手册", 1),
        Block("收费", 2),
        Block("白天", 3),
        Block("每小时两元。" * 80),
        Block("夜间", 3),
        Block("免费。" * 80),
        Block("投诉", 2),
        Block("请拨打12345。"),
    )
    found = split(Document("停车.docx", "停车管理手册", blocks))
    assert [one.path for one in found] == [("收费", "白天"), ("收费", "夜间"), ("投诉",)]
    assert found[0].text.startswith("停车管理手册\n收费\n白天\n每小时")


def test_lines_with_question_marks_are_questions_where_there_are_several() -> None:
    found = drafts("供暖问答\n暖气不热找谁？\n先找供热站。\n什么时候供暖？\n11月15日。\n一般每天供多久？\n24小时。")
    assert [(one.question, one.answer) for one in found] == [
        ("暖气不热找谁？", "先找供热站。"),
        ("什么时候供暖？", "11月15日。"),
        ("一般每天供多久？", "24小时。"),
    ]


def test_a_table_stays_a_table_in_the_answer() -> None:
    rows = (("档次", "标准|元"), ("一档", "100"), ("二档", "200"))
    found = split(
        Document(
            "补贴.docx", "养老补贴办法", (Block("第一条 补贴标准如下："), Block.table(rows), Block("第二条 每月发放。"))
        )
    )
    assert "<table>" in answers.html(found[0].answer) and "标准|元" in answers.plain(found[0].answer)
    assert found[0].text == "第一条 补贴标准如下：\n档次\t标准|元\n一档\t100\n二档\t200"


def test_questions_and_forms_in_tables_are_read_line_by_line() -> None:
    asked = Block.table(
        [
            ["序号", "问题", "答案", "责任单位"],
            ["1", "异地怎么报销？", "先备案。", "市医保局"],
            ["2", "门诊能报吗", "能。", ""],
        ]
    )
    found = split(Document("问答.docx", "医保问答", (asked,)))
    assert [(one.question, one.answer) for one in found] == [
        ("异地怎么报销？", "先备案。\n责任单位：市医保局"),
        ("门诊能报吗", "能。"),
    ]
    assert found[0].text == "序号\t问题\t答案\t责任单位\n1\t异地怎么报销？\t先备案。\t市医保局"
    form = Block.table(
        [
            ["事项名称", "异地就医备案"],
            ["受理条件", "参加本市医保"],
            ["申请材料", "身份证"],
            ["备注", ""],
            ["办理时限", "即办"],
        ]
    )
    found = split(Document("指南.docx", "医保服务指南", (form,)))
    assert [one.question for one in found] == [
        "事项名称（《医保服务指南》）",
        "异地就医备案的受理条件是什么",
        "办理异地就医备案需要哪些材料",
        "异地就医备案的办理时限是多久",
    ]
    assert found[3].text == "备注\n办理时限\t即办"


def test_long_sentences_under_yi_and_er_are_parts_of_a_notice_and_what_is_enclosed_answers_nothing() -> None:
    long = "参保人按照自己选择的档次缴费，多缴多得，长缴多得，政府按照规定给予补贴，" * 5
    told = f"关于养老保险的通知\n一、{long}。\n二、{long}。\n附件：1.档次表\n2.补贴表\n衡水市人社局\n2026年3月1日"
    first, second = drafts(told)
    assert (first.clause, second.source) == ("第一项", "《关于养老保险的通知》第二项")
    assert second.answer.endswith("补贴，。") and second.text.endswith("2026年3月1日")


def test_a_paper_without_any_heading_is_one_draft_and_a_very_long_one_several() -> None:
    (only,) = drafts("路灯由城管部门维修，请拨打12345报修。", name="路灯.txt")
    assert (only.question, only.source) == ("路灯", "《路灯》")
    long = drafts("\n".join("一段没有标题的话，说明事情的经过。" * 40 for _ in range(60)), name="长文.txt")
    assert len(long) > 1 and all(0 < len(one.answer) <= 20_000 for one in long)
    (endless, *_rest) = drafts("没有句号" * 20_000, name="长句.txt")
    assert len(endless.answer) <= 20_000


@pytest.mark.parametrize(
    "text",
    [
        "一、",
        "第一章 总则",
        "第一章 总则\n第二章 分则",
        "附件",
        "问：",
        "？",
        "目录",
        "第一条",
        "2026年3月1日",
        "一、申请条件\n二、申请材料",
        "。",
    ],
)
def test_papers_of_headings_only_give_something_and_nothing_empty(text: str) -> None:
    found = drafts(text)
    assert found and all(one.question and one.answer.strip() for one in found)
    assert bare("".join(one.text for one in found)) == bare(text)


@pytest.mark.parametrize("text", ALL)
def test_every_word_of_a_paper_stands_in_one_draft_in_its_order(text: str) -> None:
    assert bare("".join(one.text for one in drafts(text))) == bare(text)


LINES = st.sampled_from(
    [line for text in ALL for line in text.split("\n")]
    + [
        *(
            "第一编 通则",
            "第一节 一般规定",
            "附录",
            "附件2：流程图",
            "（三）",
            "①办证；",
            "1.1 概述",
            "1) 复印件",
            "Q：能退吗",
            "A：能",
        ),
        *(
            "能退吗？",
            "退多少？",
            "全部。",
            "目录",
            "抄送：市委。",
            "第十条",
            "第十一条【退费】不退。",
            "第十二条（解释）",
            "二、退费：",
        ),
    ]
)

CELLS = st.sampled_from(
    ["", "问题", "答案", "序号", "申请材料", "受理条件", "办理时限", "咨询电话", "甲", "多久？", "乙" * 30]
)
TABLES = (
    st.lists(st.lists(CELLS, min_size=2, max_size=3), min_size=1, max_size=5)
    .map(Block.table)
    .filter(lambda one: one.text)
)


@given(
    st.lists(st.one_of(LINES, st.text(max_size=40)), max_size=40),
    st.lists(st.integers(0, 3), min_size=40, max_size=40),
    st.lists(TABLES, max_size=3),
)
def test_whatever_stands_in_a_paper_none_is_lost_doubled_or_empty(
    lines: list[str], levels: list[int], tables: list[Block]
) -> None:
    told = [clean(line) for line in lines]
    blocks = tuple(Block(line, level) for line, level in zip(told, levels, strict=False) if line) + tuple(tables)
    told += [block.text for block in tables]
    found = split(Document("文件.txt", "", blocks))
    assert bare("".join(one.text for one in found)) == bare("".join(told))
    assert bool(found) == bool(blocks)
    for one in found:
        assert one.question.strip() and one.answer.strip() and one.text.strip()
        assert len(one.question) <= 200 and len(one.answer) <= 20_000


def test_contents_are_left_out_and_what_they_list_is_not() -> None:
    told = document("办法\n目 录\n第一章 总则\n第二章 附则\n第一章 总则\n第一条 甲。\n第二章 附则\n第二条 乙。")
    assert [block.text for block in without_contents(told.blocks)] == [
        *("办法", "第一章 总则", "第一条 甲。", "第二章 附则", "第二条 乙。")
    ]
    dotted = document("办法\n目录\n第一章 总则……………… 1\n第二章 附则 12\n一、甲.......3\n第一条 甲。")
    assert [block.text for block in without_contents(dotted.blocks)] == ["办法", "第一条 甲。"]


@given(st.text(st.characters(codec="utf-8"), max_size=200))
def test_words_of_a_paper_read_as_they_stand(text: str) -> None:
    told = clean(text)
    assert bare(answers.plain(marking.paragraph(told))) == bare(told)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("第三条　申请", "第三条"),
        ("第三条规定的条件", None),
        ("第十二条之一 申请", "第十二条之一"),
        ("第二章 总则", "第二章"),
        ("第二章的规定适用于本章所有的情形。", None),
        ("一、条件", "一、"),
        ("（十二）其他", "（十二）"),
        ("1.5万元以内", None),
        ("1．身份证", "1．"),
        ("（3）户口本", "（3）"),
        ("③户口本", "③"),
        ("附件2", "附件2"),
        ("附件：1.申请表", None),
        ("12345热线", None),
        ("2026年", None),
    ],
)
def test_marks_are_told_from_sentences(text: str, number: str | None) -> None:
    mark = mark_of(text)
    assert (mark.number if mark else None) == number


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("衡政办[2026]12号", "衡政办[2026]12号"),
        ("1. 身份证\n2.照片", "1.身份证\n2.照片"),
        ("1.", "1\\."),
        ("- 甲\n---", "\\- 甲\n\\---"),
        ("见[网](http://x)", "见\\[网\\](http://x)"),
        ("a<b>c & d &amp; 3 < 4", "a\\<b>c & d \\&amp; 3 < 4"),
        ("# 一", "\\# 一"),
        ("5*3=15，a_b", "5\\*3=15，a\\_b"),
    ],
)
def test_an_editor_sees_a_backslash_only_where_it_is_needed(text: str, markdown: str) -> None:
    assert marking.paragraph(text) == markdown
    assert bare(answers.plain(markdown)) == bare(text)
