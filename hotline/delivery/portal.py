"""The unit's inbox on the portal."""

from __future__ import annotations

from hotline.delivery.base import Parcel

CHANNEL = "portal"


class PortalSender:
    """The inbox reads orders from the database, so an order is there once committed; opening it is the receipt."""

    channel = CHANNEL

    def send(self, parcel: Parcel) -> str:
        """Return the receipt of the inbox: it holds the order already."""
        return f"inbox:{parcel.address}"
