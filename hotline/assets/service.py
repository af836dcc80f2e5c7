"""Verbs on assets."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from hotline import audit
from hotline.accounts.service import Actor
from hotline.assets.models import Asset, AssetKeeper, Level
from hotline.errors import Invalid
from hotline.units.models import Unit

TIER: Final = 2
BELOW: Final = 3


@dataclass(frozen=True, slots=True)
class Keeper:
    """Somebody who answers for an asset."""

    name: str
    phone: str = ""
    unit: str = ""


def digits_of(code: str) -> str:
    """Return the code as a caller reads it out: its digits alone."""
    return re.sub(r"\D", "", code)


def asset_state(asset: Asset) -> dict[str, Any]:
    """Return what of an asset a person can change; personal data left out."""
    return {
        "name": asset.name,
        "kind": asset.kind,
        "address": asset.address,
        "area_code": asset.area_code,
        "lat": asset.lat,
        "lng": asset.lng,
        "unit": asset.unit.code,
        "below": asset.below.code if asset.below else "",
        "category": asset.category_code,
        "active": asset.active,
    }


def keepers_of(asset: Asset) -> dict[Level, Keeper]:
    """Return who answers for an asset, by level."""
    return {Level(row.level): Keeper(row.name or "", row.phone or "", row.unit) for row in asset.keepers}


def put_asset(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    code: str,
    name: str,
    kind: str,
    address: str,
    unit: Unit,
    below: Unit | None = None,
    area_code: str = "",
    lat: float | None = None,
    lng: float | None = None,
    category_code: str = "",
    active: bool = True,
    keepers: Mapping[Level, Keeper] | None = None,
) -> Asset:
    """Add an asset or change the one of this code; leaves an audit row where something changed, keepers unnamed.

    ``keepers`` None leaves them as they are. Raises ``Invalid`` for a unit that is not tier 2, or one below it that
    is not tier 3 of the same line.
    """
    faults: dict[str, object] = {}
    if unit.tier != TIER:
        faults["unit"] = f"{unit.name}不是二级承办单位"
    if below is not None and (below.tier != BELOW or not below.path.startswith(unit.path)):
        faults["below"] = f"{below.name}不是{unit.name}下属的三级单位"
    if faults:
        raise Invalid("；".join(map(str, faults.values())), **faults)
    asset = session.scalar(select(Asset).where(Asset.code == code))
    before = None if asset is None else asset_state(asset) | {"keepers": len(asset.keepers)}
    told = {} if asset is None else keepers_of(asset)
    if asset is None:
        asset = Asset(code=code, digits=digits_of(code))
        session.add(asset)
    asset.name, asset.kind, asset.address, asset.area_code = name, kind, address, area_code
    asset.lat, asset.lng, asset.unit, asset.below = lat, lng, unit, below
    asset.category_code, asset.active = category_code, active
    changed_keepers = keepers is not None and dict(keepers) != told
    if changed_keepers and keepers is not None:
        _keep(session, asset, keepers)
    after = asset_state(asset) | {"keepers": len(asset.keepers)}
    if changed_keepers and before is not None:
        after["keepers_changed"], before["keepers_changed"] = True, False
    audit.changed(session, at=now, user_id=actor.user_id, subject="asset", subject_id=code, before=before, after=after)
    session.flush()
    return asset


def _keep(session: Session, asset: Asset, keepers: Mapping[Level, Keeper]) -> None:
    asset.keepers.clear()
    session.flush()  # one level has one keeper: the former row goes first
    for level in Level:
        if level in keepers:
            one = keepers[level]
            asset.keepers.append(AssetKeeper(level=level, name=one.name, phone=one.phone or None, unit=one.unit))
