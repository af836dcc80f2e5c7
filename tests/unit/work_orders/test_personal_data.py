"""Numbers that lead to a person are found; numbers that do not are left alone."""

import pytest

from hotline.work_orders.personal_data import found_in, masked, without_numbers

MOBILE = [
    "请联系19900001234",
    "电话：199 0000 1234。",
    "联系人１９９００００１２３４",
    "拨打+86 19900001234",
]
GLUED = [  # as people write where to be found
    "微信vx19900001234",
    "加wx19900001234",
    "QQ19900001234",
    "tel199-0000-1234",
    "¥19900001234",
    "联系vx１９９００００１２３４",
    "19900001234wx同号",
    "V19900001234V",
]
CARD = [
    "身份证131182198001012345",
    "身份证号131182 19800101 2345",
    "131182-19800101-2345",
    "１３１１８２－１９８００１０１－２３４５",
    "131182 198001012345",
    "131182 1980 0101 2345",
    "131182-1980-01-01-2345",
    "1311 8219 8001 0123 45",
]


@pytest.mark.parametrize("text", [*MOBILE, "办公室0318-2123456", "证号13118219800101234x已核"])
def test_found_and_masked(text: str):
    (finding,) = found_in(text)
    assert "****" in finding
    assert "00001234" not in finding


@pytest.mark.parametrize("text", GLUED)
def test_a_mobile_number_is_one_whatever_it_is_glued_to(text: str):
    assert found_in(text) == ["电话号码 199****1234"]
    assert "199****1234" in masked(text)
    assert "1234" not in without_numbers(text, "［已删除］")


@pytest.mark.parametrize("text", CARD)
def test_an_id_card_is_one_however_it_is_grouped(text: str):
    assert found_in(text) == ["身份证号码 131****2345"]
    assert "131****2345" in masked(text)
    assert "2345" not in without_numbers(text, "［已删除］")


def test_several_in_one_sentence_are_each_found_where_they_stand():
    text = "张某vx19900001234、办公室0318-2123456，身份证131182 19800101 2345，另有19900005678。"
    assert found_in(text) == [
        *("电话号码 199****1234", "电话号码 031****3456", "身份证号码 131****2345", "电话号码 199****5678"),
    ]
    assert without_numbers(text, "…") == "张某vx…、办公室…，身份证…，另有…。"
    assert found_in(masked(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "如有疑问请拨打12345",
        "工单2611-00042-7已办结，投资1234567元",
        "工单2611-00002-1、2611-00003-9并案，前单2610-00019-8 2610-00101-2",
        "工单2611-199001-4 2611-199002-2",
        "2026年11月18日15:04恢复供水，涉及808户",
        "2026-11-18 15:04至2026-11-20 08:30停水，20261118-20261120",
        "202601 202602 202603三个月、2024 2025 2026三年的水费",
        "投资1234567890.12元，补偿¥1380000.00、¥19900.00，合计199 000 012元",
        "按责任清单L07、W-1、JZ-199-0001（2026-1版）办理",
        "区划131103 2026-11-18 1504户，邮编053000 20261118 1504户",
        "表号SN1990000123、SN199000012345，卡号6222021990000123456",
        "火警119，急救120",
    ],
)
def test_left_alone(text: str):
    assert found_in(text) == []
    assert masked(text) == text
