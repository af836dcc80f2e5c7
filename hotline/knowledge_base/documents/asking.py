"""What a clause is probably asked for: proposed only where it is safe, else its own heading stands."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from hotline.knowledge_base.documents.marks import KINDS

NO_SUBJECT: Final = re.compile(
    rf"(?:(?:办事|服务|办理|申报|操作|工作)?(?:指南|流程|须知|手册)|(?:管理|实施|工作)*(?:暂行|试行)?(?:{KINDS})"
    r"(?:[（(].{1,8}[)）])?)$"
)
ISSUED: Final = re.compile(r"关于(?:印发|转发|发布|公布).{0,20}?《(.+?)》")
ABOUT: Final = re.compile(r"^(?:.{0,20}?关于(?:开展|做好|实施|调整|公布|印发)?)")
WHAT: Final = re.compile(
    r"(?:申请|申领|申报|办理|受理|准入|享受|认定|发放|补贴|补助|参保|缴费|登记|报销|收费|资助|救助|保障|服务|咨询|投诉|监督|所需){0,2}"
    r"(?P<what>条件|对象|范围|标准|材料|要件|依据|流程|程序|方式|渠道|时限|期限|时间|地点|地址|机构|部门|电话)"
)
ASKED_FOR: Final = {
    "材料": "需要哪些",
    "时限": "是多久",
    "期限": "是多久",
    "时间": "是什么时候",
    "地点": "在哪里",
    "地址": "在哪里",
    "部门": "是哪个",
    "机构": "是哪个",
    "电话": "是多少",
}
MUST: Final = r"^([^，。；：]{2,30}?)(?:的?，)?(?:应当|必须|须|需要|需)?(?:同时)?"
TERMS: Final = re.compile(MUST + r"(?:符合|具备|满足)(?:下列|以下)(?:基本)?(?:条件|要求)")
PAPERS: Final = re.compile(MUST + r"(?:提交|提供|携带|准备)(?:下列|以下)(?:申请)?(?:材料|证件|资料|证明)")
QUESTION_CHARS: Final = 120


def propose(
    document: str,
    path: Sequence[str],
    clause: str,
    *,
    title: str = "",
    asked: bool = False,
    subject: str = "",
    text: str = "",
) -> str:
    """Return the question a clause answers, or what it is called in its document: never empty. ``subject`` is what the
    document says it is about, else that is taken from its title."""
    if asked or title.endswith(("？", "?")):
        return title[:QUESTION_CHARS]
    if title and (known := WHAT.fullmatch(title)) and (about := subject or subject_of(document)):
        how = ASKED_FOR.get(known["what"], "是什么")
        return f"办理{about}需要哪些材料" if how.startswith("需要") else f"{about}的{title}{how}"
    for pattern, what in ((TERMS, "需要符合哪些条件"), (PAPERS, "需要提交哪些材料")):
        if found := pattern.match(text):
            return f"{found[1]}{what}"
    return _called(document, path, clause, title)[:QUESTION_CHARS]


def _called(document: str, path: Sequence[str], clause: str, title: str) -> str:
    """Return what people find a clause by: its heading, or the chapter it stands in."""
    if title in ("", document) and not clause:
        return document
    if title and not clause.startswith("第"):
        return f"{title}（{cited(document)}）"
    chapter = next((part for part in reversed(path[:-1]) if part), "")
    about = title or chapter.split(" ", 1)[-1]
    return f"{cited(document)}{clause}{f'：{about}' if about else ''}"


def cited(document: str) -> str:
    """Return a title in the brackets people cite it with; those inside become single ones."""
    return f"《{document.replace('《', '〈').replace('》', '〉')}》"


def subject_of(document: str) -> str:
    """Return what a document is about, without the words that say what kind of paper it is."""
    issued = ISSUED.search(document)
    subject = issued[1] if issued else ABOUT.sub("", document) if document.endswith("通知") else document
    while (shorter := NO_SUBJECT.sub("", subject)) != subject:
        subject = shorter.removesuffix("的")
    return subject if 2 <= len(subject) <= 40 else ""
