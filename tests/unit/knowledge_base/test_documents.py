"""Files of every kind are read as people see them, and bad ones are refused with a sentence that says what to do."""

from __future__ import annotations

import io
import socket
import struct
import zipfile
from itertools import pairwise
from pathlib import Path

import pytest
from pypdf import PdfReader, PdfWriter

from hotline.errors import Invalid
from hotline.knowledge_base import documents
from hotline.knowledge_base.documents import Block, numbering, package
from tests.unit.knowledge_base.policies import W, docx, paragraph, pdf, table

BODY = "公共租赁住房的租金按照市场租金的七成收取，由住房保障中心每年公布一次。"


def texts(body: bytes, name: str) -> list[str]:
    return [block.text for block in documents.read(body, name).blocks]


def refused(body: bytes, name: str) -> str:
    with pytest.raises(Invalid) as fault:
        documents.read(body, name)
    return fault.value.message


# ---- Word


STYLES = (
    f'<w:styles {W}><w:style w:styleId="T"><w:name w:val="Title"/></w:style>'
    '<w:style w:styleId="H1"><w:name w:val="heading 1"/></w:style>'
    '<w:style w:styleId="H1a"><w:name w:val="章标题"/><w:basedOn w:val="H1"/></w:style>'
    '<w:style w:styleId="L"><w:name w:val="条"/><w:pPr><w:numPr><w:ilvl w:val="1"/><w:numId w:val="7"/></w:numPr>'
    '</w:pPr></w:style><w:style w:styleId="C1"><w:name w:val="toc 1"/></w:style></w:styles>'
)
NUMBERING = (
    f'<w:numbering {W}><w:abstractNum w:abstractNumId="3">'
    '<w:lvl w:ilvl="0"><w:start w:val="1"/><w:numFmt w:val="chineseCountingThousand"/>'
    '<w:lvlText w:val="第%1章 "/></w:lvl>'
    '<w:lvl w:ilvl="1"><w:start w:val="1"/><w:numFmt w:val="decimal"/><w:lvlText w:val="%1.%2 "/></w:lvl>'
    '<w:lvl w:ilvl="2"><w:start w:val="1"/><w:numFmt w:val="bullet"/><w:lvlText w:val="*"/></w:lvl>'
    '</w:abstractNum><w:num w:numId="7"><w:abstractNumId w:val="3"/></w:num>'
    '<w:num w:numId="8"><w:abstractNumId w:val="3"/><w:lvlOverride w:ilvl="0"><w:startOverride w:val="5"/>'
    "</w:lvlOverride></w:num></w:numbering>"
)


def test_a_word_document_is_read_with_its_title_headings_and_own_numbers() -> None:
    body = docx(
        paragraph("公共租赁住房管理办法", style="T"),
        paragraph("目录里的一行 3", style="C1"),
        paragraph("总则", style="H1a", number="7"),
        paragraph("适用范围。", style="L"),
        paragraph("", style="L"),
        paragraph("申请人。", style="L"),
        paragraph("项目。", number="7", level=2),
        paragraph("附则", style="H1", number="7"),
        paragraph("施行。", style="L"),
        paragraph("另起", number="8"),
        parts={"word/styles.xml": STYLES, "word/numbering.xml": NUMBERING},
    )
    read = documents.read(body, "办法.docx")
    assert read.title == "公共租赁住房管理办法"
    assert list(read.blocks) == [
        Block("公共租赁住房管理办法"),
        Block("第一章 总则", 1),
        Block("一.1 适用范围。"),
        Block("一.3 申请人。"),  # the empty one between them counts, as it does on paper
        Block("项目。"),
        Block("第二章 附则", 1),
        Block("二.1 施行。"),
        Block("第五章 另起"),
    ]


def test_numbers_are_written_as_papers_write_them() -> None:
    assert [numbering.chinese(count) for count in (1, 10, 11, 20, 21, 101, 110, 1003)] == [
        *("一", "十", "十一", "二十", "二十一", "一百零一", "一百一十", "一千零三")
    ]
    forms = {"decimalEnclosedCircle": "③", "lowerLetter": "c", "upperRoman": "III", "decimal": "3", "strange": "3"}
    assert {form: numbering.numeral(3, form) for form in forms} == forms


def test_a_table_keeps_its_cells_and_a_frame_around_text_is_none() -> None:
    body = docx(
        table([["档次", "标准"], ["一档", "100"], ["", ""]]),
        table([["只有一格的正文框"]]),
        "<w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val='2'/></w:tcPr>" + paragraph("合并") + "</w:tc></w:tr>"
        "<w:tr><w:tc>" + paragraph("甲") + "</w:tc><w:tc>" + table([["里", "层"]]) + "</w:tc></w:tr></w:tbl>",
    )
    one, framed, nested = documents.read(body, "表.docx").blocks
    assert one.rows == (("档次", "标准"), ("一档", "100"))
    assert (framed.rows, framed.text) == ((), "只有一格的正文框")
    assert nested.rows == (("合并", ""), ("甲", "里 层"))


def test_inserted_and_linked_words_are_read_and_deleted_ones_are_not() -> None:
    run = "<w:r><w:t>{}</w:t></w:r>"
    body = docx(
        f"<w:p>{run.format('甲')}<w:ins>{run.format('乙')}</w:ins><w:del><w:r><w:delText>丙</w:delText></w:r></w:del>"
        f"<w:hyperlink>{run.format('丁')}</w:hyperlink><w:r><w:br/><w:t>戊</w:t></w:r>"
        "<w:r><w:instrText>HYPERLINK x</w:instrText></w:r></w:p>",
        f"<w:sdt><w:sdtContent>{paragraph('控件里的字')}</w:sdtContent></w:sdt>",
        "<w:sdt><w:sdtPr><w:docPartObj><w:docPartGallery w:val='Table of Contents'/></w:docPartObj></w:sdtPr>"
        f"<w:sdtContent>{paragraph('目录')}</w:sdtContent></w:sdt>",
        f"<w:p><w:r><w:t>框外</w:t></w:r><w:r><w:pict><w:txbxContent>{paragraph('框里')}</w:txbxContent></w:pict></w:r></w:p>",
    )
    assert texts(body, "修订.docx") == ["甲乙丁\n戊", "控件里的字", "框外", "框里"]


def test_entities_of_a_word_document_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("机密", encoding="utf-8")
    doctype = f'<!DOCTYPE d [<!ENTITY x SYSTEM "{secret.as_uri()}"><!ENTITY y SYSTEM "http://127.0.0.1:9/y">]>'
    told = texts(docx("<w:p><w:r><w:t>前&x;中&y;后</w:t></w:r></w:p>", doctype=doctype), "实体.docx")
    assert told == ["前&x;中&y;后"]  # what stands around them is read


def test_entities_that_grow_do_not() -> None:
    names = "abcdefghij"
    doctype = "<!DOCTYPE d [<!ENTITY a 'ha'>" + "".join(
        f"<!ENTITY {now} '{f'&{before};' * 10}'>" for before, now in pairwise(names)
    )
    assert "不是正确的 .docx" in refused(
        docx("<w:p><w:r><w:t>笑&j;</w:t></w:r></w:p>", doctype=f"{doctype}]>"), "笑.docx"
    )


def test_nothing_a_word_document_points_to_is_fetched() -> None:
    asked: list[object] = []
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    place = f"http://127.0.0.1:{listener.getsockname()[1]}/template.dotm"
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r9" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/attachedTemplate" '
        f'Target="{place}" TargetMode="External"/></Relationships>'
    )
    body = docx(
        paragraph(BODY),
        doctype=f'<!DOCTYPE d SYSTEM "{place}">',
        parts={
            "word/settings.xml": f'<w:settings {W}><w:attachedTemplate r:id="r9" xmlns:r="r"/></w:settings>',
            "word/_rels/settings.xml.rels": relations,
            "word/_rels/document.xml.rels": relations,
        },
    )
    assert texts(body, "模板.docx") == [BODY]
    try:
        asked.append(listener.accept())
    except BlockingIOError:
        pass
    finally:
        listener.close()
    assert asked == []


def test_a_main_part_outside_the_file_is_none() -> None:
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" '
        'Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
        'Target="http://127.0.0.1:9/document.xml" TargetMode="External"/></Relationships>'
    )
    assert "不是正确的 .docx" in refused(docx(paragraph(BODY), parts={"_rels/.rels": relations}), "外.docx")


def test_word_documents_nobody_should_open_are_refused() -> None:
    good = docx(paragraph(BODY))
    assert "带有宏" in refused(docx(paragraph(BODY), parts={"word/vbaProject.bin": b"x"}), "宏.docx")
    assert "带宏的 .docm" in refused(good, "宏.docm")
    assert "打开密码" in refused(package.COMPOUND + b"\0" * 99 + package.ENCRYPTED, "密.docx")
    assert "旧格式" in refused(package.COMPOUND + b"\0" * 600, "旧.docx")
    assert "旧格式的 .doc" in refused(good, "旧.doc")
    assert "表格或演示文稿" in refused(docx(paragraph(BODY), parts={"xl/workbook.xml": "<x/>"}), "表.docx")
    assert "不是正确的 .docx" in refused(b"%PDF-1.7", "假.docx")
    assert "不是正确的 .docx" in refused(good[: len(good) // 2], "半.docx")
    assert "不是正确的 .docx" in refused(docx("<w:p>"), "坏.docx")
    assert "不是正确的 .docx" in refused(docx(paragraph(BODY), parts={"_rels/.rels": "<x/>"}), "无.docx")


def test_a_zip_bomb_is_refused_by_what_it_declares() -> None:
    bomb = docx(paragraph(BODY), parts={"word/media/a.bin": b"\0" * (package.MOST_UNPACKED + 1)})
    assert len(bomb) < 1 << 20
    assert "解压后太大" in refused(bomb, "炸弹.docx")
    many = docx(paragraph(BODY), parts={f"x{number}": b"" for number in range(package.MOST_PARTS)})
    assert "解压后太大" in refused(many, "许多.docx")


def test_a_part_that_lies_about_its_size_is_no_document() -> None:
    out = io.BytesIO(docx(paragraph("住房" * 3000)))
    with zipfile.ZipFile(out) as archive:
        part = archive.getinfo("word/document.xml")
    true_size, said = struct.pack("<L", part.file_size), struct.pack("<L", 100)
    assert "不是正确的 .docx" in refused(out.getvalue().replace(true_size, said), "谎.docx")


# ---- PDF


def page(number: int, *lines: str) -> list[tuple[float, float, str]]:
    """Return a page of lines, those set in by two signs marked with a blank before them."""
    body = [(96.0 if line[0] == " " else 72.0, 740 - 20 * place, line.strip()) for place, line in enumerate(lines)]
    return [(250, 800, "衡水市人民政府文件"), *body, (280, 40, f"— {number} —")]


def test_lines_of_a_pdf_become_paragraphs_without_heads_and_feet() -> None:
    full = "公共租赁住房的租金按照市场租金的七成收取并由住房保障中心每年公布"
    body = pdf(
        page(1, " 公共租赁住房管理办法", f" 第一条 {full[:-4]}", "第三条规定的对象除外。", f" 第二条 {full[:-4]}"),
        page(2, f"{full}。", "本条自公布之日起施行。", " （一）身份证；", " （二）户口本。"),
        page(3, " 第三条 由市住建局解释。"),
    )
    assert texts(body, "办法.pdf") == [
        "公共租赁住房管理办法",
        f"第一条 {full[:-4]}第三条规定的对象除外。",
        f"第二条 {full[:-4]}{full}。本条自公布之日起施行。",
        "（一）身份证；",
        "（二）户口本。",
        "第三条 由市住建局解释。",
    ]
    assert [draft.clause for draft in documents.split(documents.read(body, "办法.pdf"))] == [
        "第一条",
        "第二条",
        "第三条",
    ]


def test_signs_that_only_look_like_characters_are_read_as_them() -> None:
    assert texts(pdf([(72, 700, "⼀、⼈⺠政府的⼯作由各级⼈⺠政府的⼯作部门分别负责，⽂件")]), "字.pdf") == [
        "一、人民政府的工作由各级人民政府的工作部门分别负责，文件"
    ]


def test_a_pdf_under_a_password_is_refused_and_one_that_is_only_closed_to_changes_is_read() -> None:
    for user, expected in (("geheim", None), ("", [BODY])):
        writer = PdfWriter(PdfReader(io.BytesIO(pdf([(72, 700, BODY)]))))
        writer.encrypt(user, "owner", algorithm="AES-256")
        out = io.BytesIO()
        writer.write(out)
        if expected is None:
            assert "打开密码" in refused(out.getvalue(), "密.pdf")
        else:
            assert texts(out.getvalue(), "锁.pdf") == expected


def test_a_scan_says_that_it_has_no_text() -> None:
    assert "没有文字层" in refused(pdf([], []), "扫描.pdf")
    assert "乱码" in refused(pdf([(72, 700, "\ue000\ue001住\ue002\ue003房租金\ue004\ue005" * 4)]), "乱码.pdf")


def test_crooked_pdfs_are_refused_in_words() -> None:
    assert "不是 PDF" in refused(docx(paragraph(BODY)), "假.pdf")
    whole = pdf([(72, 700, BODY)])
    assert "读不出来" in refused(whole[:200], "半.pdf")
    assert "读不出来" in refused(b"%PDF-1.7\n" + b"\0" * 500, "坏.pdf")


def test_a_pdf_of_very_many_pages_is_refused_before_they_are_read() -> None:
    seen: list[int] = []
    with pytest.raises(Invalid, match="超过 500 页"):
        documents.read(pdf(*[[(72.0, 700.0, BODY)]] * 501), "长.pdf", still_here=lambda: seen.append(1))
    assert seen == []


def test_two_hundred_pages_are_read_page_by_page() -> None:
    seen: list[int] = []
    body = pdf(*[page(number, f" 第{number}条 {BODY}", *[f" 第{number}款：{BODY}"] * 20) for number in range(1, 201)])
    read = documents.read(body, "二百页.pdf", still_here=lambda: seen.append(1))
    assert len(seen) == 200
    assert len(documents.split(read)) == 200


def test_a_page_whose_drawing_unpacks_to_too_much_is_refused() -> None:
    reader = PdfReader(io.BytesIO(pdf([(72, 700, BODY)])))
    writer = PdfWriter(reader)
    contents = writer.pages[0].get_contents()
    assert contents is not None
    contents.set_data(b" " * (21 * 1024 * 1024))
    writer.pages[0].replace_contents(contents)
    writer.pages[0].compress_content_streams()
    out = io.BytesIO()
    writer.write(out)
    assert "太复杂" in refused(out.getvalue(), "大.pdf")


# ---- pages and text


PAGE = f"""<!DOCTYPE html><html><head><meta charset="%s"><title>网站</title><style>p {{}}</style></head>
<body onload="steal()"><nav>首页</nav><h1>住房保障指南</h1><script>alert('x')</script>
<h2>一、条件</h2><p>{BODY}<br>另一行</p><p style="display: none">看不见</p><!-- 注释 -->
<ol><li>身份证</li><li><p>户口本</p></li></ol><ul><li>照片</li></ul>
<table><tr><th>档次</th><th>标准</th></tr><tr><td>一档</td><td>100<br>元</td></tr></table>
<table><tr><td><p>版面里的段落</p></td></tr></table>
<p>1 &lt; 2 &amp;&nbsp;<a href="javascript:alert(1)">链接</a></p><footer>版权</footer></body></html>"""


@pytest.mark.parametrize(("said", "encoding"), [("utf-8", "utf-8"), ("gb2312", "gb18030"), ("utf-8", "gb18030")])
def test_a_web_page_is_read_for_its_words_alone(said: str, encoding: str) -> None:
    read = documents.read((PAGE % said).encode(encoding), "指南.html")
    assert read.title == "住房保障指南"
    assert list(read.blocks) == [
        Block("住房保障指南", 1),
        Block("一、条件", 2),
        Block(BODY),
        Block("另一行"),
        Block("1. 身份证"),
        Block("2."),
        Block("户口本"),
        Block("照片"),
        Block.table([["档次", "标准"], ["一档", "100 元"]]),
        Block("版面里的段落"),
        Block("1 < 2 & 链接"),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
def test_text_is_read_in_the_encodings_people_save_it_in(encoding: str) -> None:
    assert texts(f"一、条件\r\n\r\n　　{BODY}\r\n".encode(encoding), "指南.txt") == ["一、条件", BODY]


def test_text_that_is_none_is_refused() -> None:
    assert "不是文本" in refused(docx(paragraph(BODY)), "假.txt")
    assert "既不是 UTF-8 也不是 GB18030" in refused(b"\x81\xff\xff abc \xff", "乱.txt")
    assert "标记不一致" in refused(b"\xff\xfe\x00", "乱.txt")
    assert "不是网页" in refused(BODY.encode(), "假.html")
    assert "没有文字" in refused(b"<html><script>1</script></html>", "空.html")
    assert "没有文字" in refused(" \r\n\u200b ".encode(), "空.txt")


# ---- before anything is read


def test_a_file_is_judged_by_its_name_and_size_before_it_is_read(tmp_path: Path) -> None:
    huge = tmp_path / "五十兆.docx"
    with huge.open("wb") as file:
        file.truncate(50 * 1024 * 1024)
    huge.chmod(0)
    with pytest.raises(Invalid, match="超过 20 MB"):
        documents.read(huge, huge.name)
    assert "空的" in refused(b"", "空.docx")
    assert ".ofd" in refused(b"x", "公文.OFD")
    assert "文字识别" in refused(b"x", "照片.jpg")
    assert "只能读取" in refused(b"x", "程序.exe")


def test_a_document_of_very_many_lines_is_split_and_one_of_too_many_refused() -> None:
    lines = "".join(f"第{number}问怎么办？\n甲乙丙丁\n" for number in range(8_000))
    assert len(documents.split(documents.read(lines.encode(), "问答.txt"))) == 8_000
    assert "文字太多" in refused(("字" * 50 + "\n").encode() * 40_001, "长.txt")
    items = "<ol>" + "<li>项</li>" * 20_000 + "</ol>"
    assert texts(items.encode(), "单.html")[-1] == "20000. 项"
