"""Policy papers as a city writes them, and files made of them."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Final
from xml.sax.saxutils import escape

from hotline.knowledge_base.documents.blocks import Block, Document, clean
from hotline.knowledge_base.documents.clauses import Draft, split

NOTICE: Final = """衡水市人民政府办公室
关于印发《衡水市养犬管理办法》的通知
衡政办字〔2026〕12号
各县市区人民政府，市政府各部门：
《衡水市养犬管理办法》已经市政府第12次常务会议研究同意，现印发给你们，请认真组织实施。
附件：1. 养犬登记申请表
2. 养犬承诺书
衡水市人民政府办公室
2026年3月1日
衡水市养犬管理办法
第一章 总则
第一条 为了规范养犬行为，保障公民健康和人身安全，制定本办法。
第二条 本市行政区域内的养犬管理，适用本办法。
军用犬、警用犬的管理按照国家有关规定执行。
第二章 养犬登记
第三条 养犬实行登记制度。
第四条 个人申请养犬登记应当符合下列条件：
（一）有本市居住证明；
（二）独户居住；
（三）犬只已经免疫，具体包括：
1.狂犬病疫苗；
2.其他疫苗。
第三条规定的登记，七个工作日内办结。
第三章 附则
第五条 本办法自2026年5月1日起施行。
附件1
养犬登记申请表
姓名、住址和犬只照片由申请人填写。"""

GUIDE: Final = """衡水市城乡居民基本养老保险待遇申领办事指南
一、申请条件
年满60周岁、累计缴费满15年，且未领取国家规定的基本养老保障待遇的，可以申请。
二、申请材料
1. 居民身份证；
2. 社会保障卡；
3. 银行卡。
三、办理流程
（一）申请
参保人携带材料到户籍所在地村（居）委会。
（二）审核
乡镇事务所5个工作日内审核。
四、办理时限：20个工作日。
五、咨询电话
12333"""

QUESTIONS: Final = """社会保障卡常见问题解答
一、补卡类
1. 问：社保卡丢了怎么办？
答：先拨打12333挂失。
（一）持身份证到网点补办；
（二）缴纳工本费。
2．问：补卡多久能拿到？
答：即时制卡网点当场领取。
二、缴费类
3、问：可以网上缴费吗？答：可以，登录河北税务网上缴费。"""

OPINION: Final = """衡水市人民政府关于进一步做好退役军人就业创业工作的实施意见
为贯彻落实国家和省有关决策部署，结合我市实际，提出如下意见。
一、总体要求
（一）加强组织领导。各级各部门要把退役军人就业创业工作摆在更加突出的位置，主要负责同志亲自抓，分管负责同志具体抓，一级抓一级，层层抓落实，确保各项政策落地见效，让退役军人得到实惠。
（二）完善服务体系。各县市区退役军人服务中心要设立就业创业服务窗口，提供政策咨询、岗位推荐、创业指导、培训报名等一站式服务，每季度至少举办一次专场招聘会，并做好跟踪回访。
二、支持政策
（一）一次性创业补贴。首次创办小微企业或从事个体经营，自工商登记注册之日起正常经营一年以上的，给予5000元一次性创业补贴；带动就业3人以上的，每多带动一人再给予1000元补贴，最高不超过1万元。
（二）创业担保贷款。符合条件的退役军人可申请最高30万元创业担保贷款，期限不超过3年，由财政部门按规定给予贴息，展期和逾期不予贴息；贷款由县级人力资源社会保障部门受理审核。
衡水市人民政府
2026年6月18日"""

ALL: Final = (NOTICE, GUIDE, QUESTIONS, OPINION)


def document(text: str, name: str = "文件.txt", title: str = "") -> Document:
    """Return lines as the paragraphs of a document."""
    return Document(name, title, tuple(Block(line) for line in clean(text).split("\n") if line))


def drafts(text: str, **about: str) -> list[Draft]:
    """Return the drafts of such a document."""
    return split(document(text, **about))


def bare(text: str) -> str:
    """Return a text without blanks."""
    return "".join(text.split())


# ---- Word


W: Final = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
TYPES: Final = (
    '<?xml version="1.0" encoding="UTF-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)
RELATIONS: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument" '
    'Target="word/document.xml"/></Relationships>'
)


def paragraph(text: str, *, style: str = "", number: str = "", level: int = 0) -> str:
    """Return a paragraph of a Word document."""
    about = f'<w:pStyle w:val="{style}"/>' if style else ""
    if number:
        about += f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>'
    return f'<w:p><w:pPr>{about}</w:pPr><w:r><w:t xml:space="preserve">{escape(text)}</w:t></w:r></w:p>'


def table(rows: Sequence[Sequence[str]]) -> str:
    """Return a table of a Word document."""
    told = "".join("<w:tr>" + "".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) + "</w:tr>" for row in rows)
    return f"<w:tbl><w:tblPr/>{told}</w:tbl>"


def docx(*body: str, doctype: str = "", parts: Mapping[str, str | bytes] = {}) -> bytes:
    """Return a Word document of these paragraphs and tables; ``parts`` are added, or replace its own."""
    inside = {
        "[Content_Types].xml": TYPES,
        "_rels/.rels": RELATIONS,
        "word/document.xml": f'<?xml version="1.0" encoding="UTF-8"?>{doctype}'
        f"<w:document {W}><w:body>{''.join(body)}</w:body></w:document>",
    } | dict(parts)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in inside.items():
            archive.writestr(name, part)
    return out.getvalue()


# ---- PDF


def _signs(text: str) -> bytes:
    """Return the table that tells which sign stands for which character, for those of a text."""
    used = sorted({ord(char) for char in text})
    told = b"\n".join(
        b"%d beginbfchar\n%s\nendbfchar" % (len(some), b"\n".join(b"<%04X> <%04X>" % (code, code) for code in some))
        for some in (used[begin : begin + 100] for begin in range(0, len(used), 100))
    )
    return (
        b"/CIDInit /ProcSet findresource begin 12 dict begin begincmap\n/CMapName /U def /CMapType 2 def\n"
        b"1 begincodespacerange\n<0000> <FFFF>\nendcodespacerange\n%s\nendcmap end end" % told
    )


def pdf(*pages: Sequence[tuple[float, float, str]], size: float = 12) -> bytes:
    """Return a PDF whose pages hold lines at (x, y) in points from the lower left."""
    objects: list[bytes] = [b"", b""]  # catalogue and pages come last

    def add(body: bytes) -> int:
        objects.append(body)
        return len(objects)

    def stream(body: bytes) -> bytes:
        return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(body), body)

    table_of_signs = add(stream(_signs("".join(text for lines in pages for _, _, text in lines))))
    descendant = add(
        b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Song /DW 1000 "
        b"/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> >>"
    )
    font = add(
        b"<< /Type /Font /Subtype /Type0 /BaseFont /Song /Encoding /Identity-H /DescendantFonts [%d 0 R] "
        b"/ToUnicode %d 0 R >>" % (descendant, table_of_signs)
    )
    kids = []
    for lines in pages:
        drawn = b"".join(
            b"BT /F1 %g Tf 1 0 0 1 %g %g Tm <%s> Tj ET\n" % (size, x, y, text.encode("utf-16-be").hex().encode())
            for x, y, text in lines
        )
        content = add(stream(drawn))
        kids.append(
            add(
                b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
                b"/Resources << /Font << /F1 %d 0 R >> >> >>" % (content, font)
            )
        )
    objects[0] = b"<< /Type /Catalog /Pages 2 0 R >>"
    objects[1] = b"<< /Type /Pages /Kids [%s] /Count %d >>" % (b" ".join(b"%d 0 R" % kid for kid in kids), len(kids))
    out = io.BytesIO()
    out.write(b"%PDF-1.7\n")
    places = []
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    start = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.write(b"".join(b"%010d 00000 n \n" % place for place in places))
    out.write(b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, start))
    return out.getvalue()
