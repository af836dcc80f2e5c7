"""Invented messages of an invented city, with the categories and units its dispatchers gave them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

from hotline.routing.model import Question
from hotline.routing.training import Row

WAGES, WATER, LIGHTS, SCHOOL = "0101", "0201", "0301", "0401"
LABOUR_OFFICE, WATER_WORKS, CITY_OFFICE, EDUCATION_OFFICE = "rsj", "gongshui", "chengguan", "jyj"

_SAID = {
    (WAGES, LABOUR_OFFICE): (
        ("工地", "饭店", "工厂", "保安公司", "装修队"),
        ("拖欠工资三个月没有发", "不给农民工结算工钱", "辞职后扣着工资不发", "加班费一直不付"),
    ),
    (WATER, WATER_WORKS): (
        ("小区", "村里", "五楼住户家", "整条胡同", "学校旁边的平房"),
        ("停水两天了", "自来水发黄有异味", "水管爆裂水流了一地", "水压太低用不上水"),
    ),
    (LIGHTS, CITY_OFFICE): (
        ("大道上", "公园门口", "桥头", "胡同口", "小广场"),
        ("路灯不亮", "路灯坏了一年没人修", "晚上路灯全黑", "灯杆倒了路灯不亮"),
    ),
    (SCHOOL, EDUCATION_OFFICE): (
        ("小学", "初中", "幼儿园", "高中", "培训学校"),
        ("老师有偿补课乱收费", "孩子入学报名材料怎么准备", "学区划分不合理", "食堂饭菜差老师体罚学生"),
    ),
}


def rows() -> list[Row]:
    """Return twenty messages of each of four kinds."""
    return [
        row(f"{category}-{number}", f"{where}{what}", category, unit)
        for (category, unit), (places, matters) in _SAID.items()
        for number, (where, what) in enumerate(product(places, matters))
    ]


def row(key: str, text: str, category: str, unit: str = "", *, title: str = "") -> Row:
    """Return one message with what a person decided."""
    labels = {Question.CATEGORY: category} | ({Question.UNIT: unit} if unit else {})
    return Row(key, title, text, labels)


def learnt_from(rows: Sequence[Row]) -> list[str]:
    """Return the keys, to tell two sets apart."""
    return [one.key for one in rows]
