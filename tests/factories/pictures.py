"""Photographs as telephones make them, and what pretends to be one."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import ExifTags, Image

RED, BLUE, GREEN = (200, 30, 30), (30, 60, 200), (20, 160, 60)
PLACE = {1: "N", 2: (37.0, 44.0, 20.5), 3: "E", 4: (115.0, 41.0, 2.0)}


def photo(
    width: int = 400,
    height: int = 300,
    *,
    form: str = "JPEG",
    colour: tuple[int, int, int] = RED,
    turned: int = 1,
    gps: bool = False,
    **saved: Any,
) -> bytes:
    """Return a picture whose left half is ``colour`` and whose right half is white.

    ``turned``: how the camera was held, as EXIF tells it (6: upright, turned by a quarter). ``gps``: it tells where.
    """
    picture = Image.new("RGB", (width, height), "white")
    picture.paste(colour, (0, 0, width // 2, height))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = turned
    exif[ExifTags.Base.Make] = "HUAWEI"
    exif[ExifTags.Base.DateTime] = "2026:11:18 15:20:01"
    if gps:
        exif.get_ifd(ExifTags.IFD.GPSInfo).update(PLACE)
    out = io.BytesIO()
    picture.save(out, form, exif=exif, **saved)
    return out.getvalue()


def bomb(width: int = 60_000, height: int = 60_000) -> bytes:
    """Return a PNG of a few kilobytes that says it unpacks to gigabytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1_000_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
