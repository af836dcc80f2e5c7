"""An entry as a row of a sheet: which column holds what, how people head it, and how a cell is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from hotline.knowledge_base.content import Content

TITLE: Final = "知识"
BETWEEN: Final = re.compile(r"[;；|]+")
AREAS_BETWEEN: Final = re.compile(r"[、,，;；|\s]+")
NUMBER: Final = "id"
PASSED_OVER: Final = ("序号", "备注", "录入人", "录入时间", "更新时间")  # what people keep beside it


@dataclass(frozen=True, slots=True)
class Field:
    """A column: its key is the field's name in ``Content`` (or ``id``), ``also`` other headings people give it."""

    key: str
    title: str
    help: str
    also: tuple[str, ...] = ()


FIELDS: Final = (
    Field(
        NUMBER,
        "编号",
        "可不填：问题相同的已有条目会更新，没有的新增；导出的表带着编号，改好再导入就更新原条目",
        ("条目编号", "知识编号", "知识编码"),
    ),
    Field(
        "question",
        "问题",
        "市民怎么问，一句话，1000 字以内",
        ("标准问题", "标准问", "主问题", "问题标题", "知识标题", "标题", "提问", "咨询问题"),
    ),
    Field(
        "similar",
        "相似问",
        "别的问法，一行一个（格内换行），也可以用分号隔开",
        ("相似问题", "相似问法", "其他问法", "扩展问", "扩展问题", "同义问"),
    ),
    Field(
        "answer",
        "答案",
        "给话务员看的完整答复，2 万字以内；可用 Markdown 写列表和表格",
        ("标准答案", "回答", "答复", "答复内容", "解答", "答案内容", "知识内容", "内容"),
    ),
    Field(
        "spoken",
        "口语答复",
        "话务员可以照着念的一两句话，200 字以内",
        ("简短答复", "简答", "口播", "话术", "口语化答案"),
    ),
    Field("category", "分类", "如 社会保障", ("类别", "知识分类", "所属分类", "问题分类", "目录")),
    Field(
        "owner_unit",
        "责任单位",
        "单位编号或单位全称；不填为热线中心",
        ("责任单位编号", "责任部门", "归口单位", "归口部门", "承办单位", "单位编号"),
    ),
    Field(
        "source",
        "依据",
        "出自哪份文件、哪一条，200 字以内",
        ("政策依据", "依据文件", "文件依据", "来源", "来源文件", "出处"),
    ),
    Field("source_url", "依据链接", "以 https:// 或 http:// 开头", ("链接", "来源链接", "原文链接", "网址")),
    Field("areas", "适用区域", "区划代码或县市区名称，用顿号隔开；不填为全市", ("适用区域代码", "区域", "适用地区")),
    Field("valid_from", "生效日期", "如 2026-01-31；不填为立即", ("开始日期", "有效期起", "起始日期", "生效时间")),
    Field(
        "valid_to", "失效日期", "最后一天；不填为长期有效", ("截止日期", "有效期止", "有效期至", "结束日期", "失效时间")
    ),
    Field("review_on", "复核日期", "到期前请责任单位确认是否仍有效", ("复审日期", "复核时间", "下次复核")),
    Field("public", "对外公开", "是 或 否；不填为是", ("是否公开", "公开", "对外发布")),
)
EXAMPLE: Final[Mapping[str, str]] = {
    NUMBER: "SB-0001",
    "question": "社保卡丢了怎么补办",
    "similar": "社会保障卡遗失怎么办\n补社保卡要带什么",
    "answer": "先拨打 12333 挂失，再带身份证到服务网点补办：\n\n- 即时制卡网点当场领取\n- 其他网点约 20 天领取",
    "spoken": "请先打 12333 挂失，再带身份证到社保卡网点补办，即时制卡网点当场就能领。",
    "category": "社会保障",
    "source": "《社会保障卡服务指南》三、补领",
    "source_url": "https://example.gov.cn/shebaoka",
    "valid_from": "2026-01-01",
    "review_on": "2026-12-31",
    "public": "是",
}


def as_json(code: str, content: Content) -> dict[str, Any]:
    """Return an entry as a line of JSON has it; attachments stay where they are."""
    told: dict[str, Any] = {NUMBER: code} | content.as_json()
    del told["attachments"]
    return told


def cells(code: str, content: Content) -> list[str]:
    """Return the row of an entry, as reading it again would give the same entry."""
    told = as_json(code, content)
    return [_cell(field.key, told[field.key]) for field in FIELDS]


def _cell(key: str, value: Any) -> str:
    if key == "similar":
        lone = len(value) == 1 and BETWEEN.search(value[0])
        return "\n".join(value) + ("\n" if lone else "")  # a line's end says that nothing else parts the words
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, list):
        return "、".join(value)
    return "" if value is None else str(value)


def similar_of(raw: Any) -> list[str]:
    """Return the other questions of a cell: one a line, else parted by semicolons."""
    parts = raw if isinstance(raw, list) else str(raw).splitlines() if "\n" in str(raw) else BETWEEN.split(str(raw))
    return list(dict.fromkeys(words for part in parts if (words := str(part).strip())))


def areas_of(raw: Any) -> list[str]:
    """Return the areas of a cell."""
    parts = raw if isinstance(raw, list) else AREAS_BETWEEN.split(str(raw))
    return list(dict.fromkeys(words for part in parts if (words := str(part).strip())))


def as_row(code: str, content: Content) -> dict[str, Any]:
    """Return an entry as the values of its columns."""
    told: dict[str, Any] = {NUMBER: code}
    for field in FIELDS[1:]:
        value = getattr(content, field.key)
        told[field.key] = list(value) if isinstance(value, tuple) else value
    told["areas"] = sorted(told["areas"])
    return told
