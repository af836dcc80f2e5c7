"""What people said is kept without who they are."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.knowledge_base.language.scrub import LONGEST, MASK, scrub

WRITTEN = "0123456789０１２３４５６７８９"
SPOKEN = "零〇一二三四五六七八九幺两"
PAUSES = [" ", "-", "，", "、", "嗯", "啊", " 呃 ", "", ""]
TALK = ["我想问社保卡怎么补办", "电话是", "住在", "停水了", "的", "，", "你好", "号楼", "冀T", "我叫"]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("我叫王小明我的电话是幺九九零零零零幺二三四", "我叫×××我的电话是×××"),
        ("我是王建国想问一下社保", "我是×××想问一下社保"),
        ("我姓胡却不能上户口", "我姓×××却不能上户口"),
        ("我姓王叫王小明想问低保", "我姓×××叫×××想问低保"),
        ("姓名是李四", "姓名是×××"),
        ("微信号abc12345", "微信号×××"),
        ("我姓刘，找王先生", "我姓×××，找×××先生"),
        ("住在永兴路128号五洲国际5号楼3单元502室停水", "住在永兴路×号五洲国际×号楼×单元×室停水"),
        ("十二栋三单元五零二漏水", "×栋×单元×漏水"),
        ("冀T12345违停", "×××违停"),
        ("冀 T 幺 二 三 四 五 停在门口", "××× 停在门口"),
        ("身份证号13112419900101001X丢了", "身份证号×××丢了"),
        ("199 0000-1234 打不通", "××× 打不通"),
        ("１９９００００１２３４", "×××"),
        ("卡号尾号1234的卡", "卡号尾号×××的卡"),
        ("发到 someone@example.com 吧", "发到 ××× 吧"),
    ],
)
def test_who_it_was_is_taken_out(said: str, kept: str) -> None:
    assert scrub(said) == kept


@pytest.mark.parametrize(
    "said",
    [
        "我是高中老师怎么评职称",
        "我是残疾人有什么补贴",
        "一户一表怎么申请",
        "一室一厅的公租房怎么申请",
        "2026年11月21日停水通知",
        "安装师傅没来",
        "孩子改名字需要什么材料",
        "营业执照姓名写错了怎么改",
        "这个服务的名字叫什么",
        "手机app上怎么交医保",
        "第三条第五款怎么理解",
        "一百三十平米的房子契税多少",
    ],
)
def test_what_was_asked_stays(said: str) -> None:
    assert scrub(said) == said


def bare(text: str) -> str:
    """The text as one who looks for numbers reads it: without signs, blanks and pauses."""
    return re.sub(r"[\W_嗯啊呃]", "", text)


def longest_number(text: str) -> int:
    return max((len(run) for run in re.findall(f"[0-9{SPOKEN}]+", bare(text))), default=0)


@st.composite
def a_number_read_out(draw: st.DrawFn) -> str:
    digits = draw(st.lists(st.sampled_from(WRITTEN + SPOKEN), min_size=5, max_size=19))
    pauses = draw(st.lists(st.sampled_from(PAUSES), min_size=len(digits), max_size=len(digits)))
    return "".join(f"{digit}{pause}" for digit, pause in zip(digits, pauses, strict=True))


@given(st.lists(st.sampled_from(TALK) | a_number_read_out(), max_size=8).map("".join))
def test_no_number_of_five_digits_survives_however_it_is_said(said: str) -> None:
    kept = scrub(said)
    assert longest_number(kept) < 5, kept
    assert len(kept) <= LONGEST


@given(st.text(max_size=300))
def test_any_text_whatever_is_taken_and_scrubbing_twice_keeps_numbers_out(said: str) -> None:
    kept = scrub(said)
    assert longest_number(kept) < 5
    assert longest_number(scrub(kept)) < 5


@given(
    st.sampled_from("京津冀鲁豫晋蒙"),
    st.sampled_from("ABCDEFT"),
    st.text(st.sampled_from("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"), min_size=5, max_size=6),
)
def test_no_plate_survives(province: str, letter: str, rest: str) -> None:
    assert scrub(f"有辆{province}{letter}{rest}停在消防通道") == f"有辆{MASK}停在消防通道"


def test_five_million_characters_are_read_in_time_and_kept_short() -> None:
    assert len(scrub("幺三八" * 1_700_000)) <= LONGEST
