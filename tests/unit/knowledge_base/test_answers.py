"""Answers as they are written, shown and said."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hotline.knowledge_base import answers

TAGS = frozenset(
    "p br em strong a ul ol li h1 h2 h3 h4 h5 h6 code pre hr blockquote table thead tbody tr td th".split()  # noqa: SIM905
)


def test_script_in_an_answer_is_shown_as_text() -> None:
    shown = answers.html("<script>alert(1)</script>\n\n<b onclick=x>粗</b>")
    assert "<script" not in shown and "<b " not in shown
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "/logout", "JaVaScRiPt:x"]
)
def test_a_link_that_is_no_address_of_the_web_stays_text(link: str) -> None:
    assert "<a" not in answers.html(f"[点这里]({link})")


def test_a_link_opens_beside_and_an_image_is_not_fetched() -> None:
    shown = answers.html("[办理](https://example.org/a) ![图](https://example.org/spy.png)")
    assert 'href="https://example.org/a"' in shown and 'rel="noopener' in shown
    assert "<img" not in shown


def test_a_line_ends_where_the_editor_ended_it() -> None:
    assert answers.html("第一行\n第二行") == "<p>第一行<br />\n第二行</p>\n"


def test_plain_words_keep_lines_items_and_rows() -> None:
    written = "# 材料\n\n1. **身份证**\n2. 照片\n\n| 项 | 费 |\n|---|---|\n| 补卡 | 16元 |\n\n到[窗口](https://example.org)办。"
    assert answers.plain(written) == "材料\n身份证\n照片\n项 费\n补卡 16元\n到窗口办。"


@given(st.text(max_size=300))
def test_whatever_is_written_never_becomes_a_tag_of_its_own(text: str) -> None:
    tags = set(re.findall(r"<\s*([a-zA-Z0-9]+)", answers.html(text)))
    assert tags <= TAGS
