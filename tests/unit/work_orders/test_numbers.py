"""A slip of the finger must not name another order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from hotline.errors import Invalid
from hotline.work_orders import numbers
from tests.conftest import NOON
from tests.factories.orders import TZ

months = st.builds(lambda year, month: f"{year:02}{month:02}", st.integers(0, 99), st.integers(1, 12))
written = st.builds(numbers.write, months, st.integers(1, 2_000_000))


def test_the_trades_own_example_is_a_valid_number():
    assert numbers.write("2611", 42) == "2611-00042-7"


@given(written)
def test_a_number_is_read_back_however_it_was_typed(number: str):
    digits = number.replace("-", "")
    wide = digits.translate({ord("0") + digit: chr(0xFF10 + digit) for digit in range(10)})
    for typed in (number, digits, f" {digits} #", wide, number.replace("-", "－")):
        assert numbers.parse(typed) == number


@given(written, st.data())
def test_no_wrong_digit_goes_unnoticed(number: str, data: st.DataObject):
    digits = number.replace("-", "")
    place = data.draw(st.integers(0, len(digits) - 1))
    wrong = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != digits[place]]))
    with pytest.raises(Invalid):
        numbers.parse(digits[:place] + wrong + digits[place + 1 :])


@given(written, st.data())
def test_no_swap_of_neighbours_goes_unnoticed(number: str, data: st.DataObject):
    digits = number.replace("-", "")
    place = data.draw(st.integers(0, len(digits) - 2))
    if digits[place] != digits[place + 1]:
        with pytest.raises(Invalid):
            numbers.parse(digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :])


@pytest.mark.parametrize("typed", ["", "12345", "工单", "2613-00042-7", "2611-00000-0", "26110004"])
def test_what_is_no_number_is_said_in_words(typed: str):
    with pytest.raises(Invalid) as caught:
        numbers.parse(typed)
    assert caught.value.details["order_no"]


def test_numbers_run_by_month_of_the_city_not_of_london(session: Session):
    late = NOON.replace(month=11, day=30, hour=16, minute=30)  # already December in Hengshui
    first = [numbers.next_number(session, now=NOON, tz=TZ) for _ in range(3)]
    assert [number[5:10] for number in first] == ["00001", "00002", "00003"]
    assert numbers.next_number(session, now=late, tz=TZ).startswith("2612-00001-")
