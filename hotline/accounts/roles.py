"""The roles of the trade and at which tier each works."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """Codes as the norms' tables name them."""

    OPR = "OPR"  # operator
    REV = "REV"  # reviewer-dispatcher
    CBK = "CBK"  # callback officer
    SUP = "SUP"  # supervisor
    ADJ = "ADJ"  # panel
    U2 = "U2"  # tier-2 clerk
    U2L = "U2L"  # tier-2 leader
    U3 = "U3"  # tier-3 clerk
    U3L = "U3L"  # tier-3 leader
    DTY = "DTY"  # duty officer
    KBE = "KBE"  # knowledge editor
    LDR = "LDR"  # city leader
    OBS = "OBS"  # citizen supervisor
    ADM = "ADM"  # system administrator
    SEC = "SEC"  # security administrator
    AUD = "AUD"  # audit administrator


HUB: Final = frozenset({Role.OPR, Role.REV, Role.CBK, Role.SUP, Role.ADJ})
TIER_2: Final = frozenset({Role.U2, Role.U2L})
TIER_3: Final = frozenset({Role.U3, Role.U3L})
UNITS: Final = TIER_2 | TIER_3
UNIT_LIKE: Final = UNITS | {Role.DTY}
