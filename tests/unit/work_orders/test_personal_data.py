"""Numbers that lead to a person are found; numbers that do not are left alone."""

import pytest

from hotline.work_orders.personal_data import found_in


@pytest.mark.parametrize(
    "text",
    [
        "请联系19900001234",
        "电话：199 0000 1234。",
        "联系人１３８１２３４１２３４",
        "拨打+86 19900001234",
        "办公室0318-2123456",
        "身份证131182198001012345",
        "证号13118219800101234x已核",
    ],
)
def test_found_and_masked(text: str):
    (finding,) = found_in(text)
    assert "****" in finding
    assert "00001234" not in finding


@pytest.mark.parametrize(
    "text",
    [
        "如有疑问请拨打12345",
        "工单2611-00042-7已办结，投资1234567元",
        "2026年11月18日15:04恢复供水，涉及808户",
        "火警119，急救120",
    ],
)
def test_left_alone(text: str):
    assert found_in(text) == []
