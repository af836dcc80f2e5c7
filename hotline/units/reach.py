"""How a unit is reached: the ways there are, what each needs of the unit, and what is wrong with that, in words."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from hotline.delivery.allowed import NotAllowed, parse
from hotline.units.models import PORTAL, Unit

# the field of a unit that holds a channel's address, and what people call it
ADDRESSES: Final = {
    "sms": ("duty_phone", "值班电话"),
    "webhook": ("webhook_url", "推送地址"),
    "email": ("email", "邮箱"),
}
MAIL: Final = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")


def address(unit: Unit, channel: str) -> str:
    """Return where this channel finds the unit; empty when it has no such address."""
    return unit.code if channel == PORTAL else getattr(unit, ADDRESSES[channel][0]) or ""


def faults(channel: str, fallbacks: Iterable[str], held: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield (field, sentence) for all that is wrong with how a unit that holds these fields is to be reached."""
    if (url := held.get("webhook_url")) and (fault := url_fault(url)):
        yield "webhook_url", fault
    if (mail := held.get("email")) and not MAIL.fullmatch(mail):
        yield "email", "不是邮箱地址"
    told = set()
    for one in (channel, *fallbacks):
        if one == PORTAL:
            continue
        field, word = ADDRESSES[one]
        if not held.get(field) and field not in told:
            told.add(field)
            yield field, f"要用这种方式推送，请填写{word}"


def url_fault(url: str) -> str:
    """Return what is wrong with a URL as such; whether its host may be reached is the site's own setting."""
    try:
        parse(url)
    except NotAllowed as fault:
        return str(fault)
    return ""
