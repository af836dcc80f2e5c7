"""Reads on assets: by the code typed, or by the number a caller reads out."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from hotline.assets.models import LEVEL_WORDS, Asset, Level

SHORTEST: Final = 4  # a shorter number is a house number, an hour, a year of age
_SPOKEN: Final = str.maketrans("零〇幺一二两三四五六七八九", "0011223456789")
_RUN: Final = re.compile(r"\d(?:[\s-]?\d)+")


def find(session: Session, code: str) -> Asset | None:
    """Return the asset in use with this code, typed in any case and with or without dashes; None without one."""
    typed = unicodedata.normalize("NFKC", code).strip()
    if not typed:
        return None
    exact = session.scalar(select(Asset).where(Asset.code.in_({typed, typed.upper()}), Asset.active))
    if exact is not None or not re.fullmatch(r"[\d\s-]+", typed):
        return exact
    found = session.scalars(select(Asset).where(Asset.digits == re.sub(r"\D", "", typed), Asset.active).limit(2)).all()
    return found[0] if len(found) == 1 else None


def said_in(session: Session, text: str) -> Asset | None:
    """Return the one asset whose number is read out in ``text``, digit by digit; None when it names none or several."""
    plain = unicodedata.normalize("NFKC", text).translate(_SPOKEN)
    runs = {re.sub(r"\D", "", match.group()) for match in _RUN.finditer(plain)}
    runs = {run for run in runs if len(run) >= SHORTEST}
    if not runs:
        return None
    wanted = select(Asset).where(or_(Asset.digits.in_(runs), Asset.code.in_(runs)), Asset.active).limit(2)
    found = session.scalars(wanted).all()
    return found[0] if len(found) == 1 else None


def called(asset: Asset) -> str:
    """Return what a dispatcher is told of an asset: ``部件 LD-12345678 3号路灯杆，责任人 张三（乡级）``."""
    keepers = {row.level: row.name for row in asset.keepers if row.name}
    nearest = next((level for level in reversed(Level) if level in keepers), None)
    who = f"，责任人 {keepers[nearest]}（{LEVEL_WORDS[nearest]}）" if nearest else ""
    return f"部件 {asset.code} {asset.name}{who}"


def kinds(session: Session) -> Sequence[str]:
    """Return the kinds of asset a city has, in order."""
    return session.scalars(select(Asset.kind).distinct().order_by(Asset.kind)).all()
