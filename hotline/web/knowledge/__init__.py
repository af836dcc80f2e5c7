"""The rooms of the knowledge editors, a blueprint each."""

from __future__ import annotations

from typing import Final

EDITORS: Final = ("KBE", "SUP")
