"""How moments, spans and numbers are written for people. Pure functions; ``init_app`` offers them as filters."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo

from flask import Flask

from hotline.web.context import runtime
from hotline.web.markup import answer, highlight
from hotline.web.words import word
from hotline.work_orders.proposal import share_words

MINUTE, HOUR, DAY = 60, 3600, 86400
SOON_SHARE = 0.2  # amber when a fifth of the time is left: supervision starts at four fifths used
SOON_WITHOUT_START = 4 * HOUR
WITHHELD = "号码保密"


def moment(value: datetime, zone: tzinfo) -> str:
    """``2026年11月21日 15:04``."""
    local = value.astimezone(zone)
    return f"{local.year}年{local.month}月{local.day}日 {local:%H:%M}"


def day(value: datetime, zone: tzinfo) -> str:
    """``2026年11月21日``."""
    return date_words(value.astimezone(zone).date())


def date_words(value: date) -> str:
    """``2026年11月21日`` of a day that belongs to no zone."""
    return f"{value.year}年{value.month}月{value.day}日"


def clock(value: datetime, zone: tzinfo) -> str:
    """``15:04``."""
    return f"{value.astimezone(zone):%H:%M}"


def duration(span: timedelta | float) -> str:
    """The two largest parts of a span: ``3小时20分``, ``1天2小时``, ``45秒``. Seconds as number, or timedelta."""
    seconds = int(span.total_seconds() if isinstance(span, timedelta) else span)
    seconds = abs(seconds)
    if seconds < MINUTE:
        return f"{seconds}秒"
    if seconds < HOUR:
        return f"{seconds // MINUTE}分"
    if seconds < DAY:
        hours, minutes = seconds // HOUR, seconds % HOUR // MINUTE
        return f"{hours}小时{minutes}分" if minutes else f"{hours}小时"
    days, hours = seconds // DAY, seconds % DAY // HOUR
    return f"{days}天{hours}小时" if hours else f"{days}天"


def at_most(number: int, counted: int) -> str:
    """``1824``, or ``2000+`` where no further was counted."""
    return f"{counted}+" if number >= counted else str(number)


def timer(span: timedelta | float) -> str:
    """A running clock: ``3:12``, ``1:02:09``."""
    seconds = max(0, int(span.total_seconds() if isinstance(span, timedelta) else span))
    hours, minutes, rest = seconds // HOUR, seconds % HOUR // MINUTE, seconds % MINUTE
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def ago(value: datetime, now: datetime, zone: tzinfo) -> str:
    """Words near now (``刚刚``, ``5分钟前``, ``昨天 15:04``, ``20分钟后``), the date farther away."""
    seconds = (now - value).total_seconds()
    tail, distance = ("前", seconds) if seconds >= 0 else ("后", -seconds)
    if distance < MINUTE:
        return "刚刚" if seconds >= 0 else "马上"
    if distance < HOUR:
        return f"{int(distance // MINUTE)}分钟{tail}"
    local, today = value.astimezone(zone), now.astimezone(zone).date()
    names = {0: "今天", -1: "昨天", 1: "明天"}
    name = names.get((local.date() - today).days)
    if name:
        return f"{name} {local:%H:%M}"
    if local.year == today.year:
        return f"{local.month}月{local.day}日 {local:%H:%M}"
    return moment(value, zone)


def time_left(deadline: datetime, now: datetime) -> str:
    """``还剩 3小时20分`` or ``已超 1天2小时``."""
    left = (deadline - now).total_seconds()
    return f"还剩 {duration(left)}" if left >= 0 else f"已超 {duration(left)}"


def time_tone(deadline: datetime, now: datetime, start: datetime | None = None) -> str:
    """``late`` after the deadline, ``soon`` in its last fifth (without a start: last four hours), else ``plain``."""
    left = (deadline - now).total_seconds()
    if left < 0:
        return "late"
    near = (deadline - start).total_seconds() * SOON_SHARE if start else SOON_WITHOUT_START
    return "soon" if left <= near else "plain"


def time_used(deadline: datetime, now: datetime, start: datetime) -> int:
    """Percent of the time that has passed, 0-100."""
    whole = (deadline - start).total_seconds()
    return 100 if whole <= 0 else max(0, min(100, round((now - start).total_seconds() / whole * 100)))


def mask_phone(number: str | None) -> str:
    """``199****1234`` of ``+8619900001234``: first three and last four; shorter numbers keep two. None: withheld."""
    digits = (number or "").removeprefix("+86").strip()
    plain = digits.removeprefix("+").replace("-", "").replace(" ", "")
    if not plain.isdigit():
        return WITHHELD
    if len(plain) < 9:
        return "*" * (len(plain) - 2) + plain[-2:]
    return f"{plain[:3]}****{plain[-4:]}"


def order_no(value: str) -> str:
    """``2611-00042-7`` whether or not the dashes were typed; anything else comes back as it is."""
    digits = value.replace("-", "").strip()
    return f"{digits[:4]}-{digits[4:-1]}-{digits[-1]}" if digits.isdigit() and len(digits) == 10 else value


def init_app(app: Flask) -> None:
    """Offer the functions to templates, the zone and the present moment filled in from the runtime.

    Filters: moment day date_words clock ago duration timer mask_phone order_no share_words word highlight answer.
    Globals: now() today() time_left_words time_tone time_used.
    """

    def zone() -> tzinfo:
        return runtime().settings.tz

    def here_and_now(value: datetime, now: datetime | None = None) -> str:
        return ago(value, now or runtime().now(), zone())

    app.jinja_env.filters |= {
        "moment": lambda value: moment(value, zone()),
        "day": lambda value: day(value, zone()),
        "date_words": date_words,
        "clock": lambda value: clock(value, zone()),
        "ago": here_and_now,
        "duration": duration,
        "timer": timer,
        "mask_phone": mask_phone,
        "order_no": order_no,
        "share_words": share_words,
        "word": word,
        "highlight": highlight,
        "answer": answer,
    }
    app.jinja_env.globals |= {
        "now": lambda: runtime().now(),
        "today": lambda: runtime().today(),
        "time_left_words": time_left,
        "time_tone": time_tone,
        "time_used": time_used,
    }
