"""A photograph as it is kept: upright, of a size a screen can use, holding nothing but what can be seen in it."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Final

from PIL import Image, ImageOps

from hotline.errors import Invalid

LONGEST_SIDE: Final = 2048
THUMB_SIDE: Final = 320
QUALITY: Final = 82
MIME: Final = "image/jpeg"
ENDING: Final = "jpg"
# by the first bytes; what a name says besides is of no use. HEIC is left out on purpose: the library that reads it
# is under the GPL, and a telephone whose browser is asked for JPEG converts by itself
HEADS: Final = {"JPEG": (b"\xff\xd8\xff",), "PNG": (b"\x89PNG\r\n\x1a\n",), "WEBP": (b"RIFF",)}
FORMATS: Final = {"jpg": "JPEG", "jpeg": "JPEG", "png": "PNG", "webp": "WEBP"}
WORDS: Final = {"JPEG": "JPEG 图片", "PNG": "PNG 图片", "WEBP": "WebP 图片"}
# a JPEG is read at a half or an eighth of its size; the others stand in memory whole, four bytes a pixel
PIXELS_AT_MOST: Final = {"JPEG": 80_000_000, "PNG": 25_000_000, "WEBP": 25_000_000}


@dataclass(frozen=True, slots=True)
class Photo:
    """JPEG bytes without any metadata, the same small, and the size in pixels."""

    body: bytes
    thumb: bytes
    width: int
    height: int


def is_photo(name: str) -> bool:
    """Whether a name says that it is a photograph we take."""
    return name.rpartition(".")[2].lower() in FORMATS


def tidied(name: str, body: bytes) -> Photo:
    """Return the photograph anew: turned upright, at most ``LONGEST_SIDE`` long, without place, time or device.

    Every byte is written by us: nothing that stood behind or inside the picture comes along. Raises ``Invalid`` for
    bytes that are not what the name says, a picture that is damaged, or one too large to unpack.
    """
    form = FORMATS[name.rpartition(".")[2].lower()]
    if not body.startswith(HEADS[form]) or (form == "WEBP" and body[8:12] != b"WEBP"):
        raise Invalid(f"{name}：内容不是{WORDS[form]}，请确认文件没有损坏或改过后缀")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # a bomb of middling size, or a part that cannot be read
            picture = _read(name, form, body)
    except (OSError, ValueError, SyntaxError, Warning, EOFError, Image.DecompressionBombError) as fault:
        raise Invalid(f"{name}：图片已损坏或不完整，请重新选择") from fault
    width, height = picture.size
    body = _written(picture)
    picture.thumbnail((THUMB_SIDE, THUMB_SIDE))
    return Photo(body, _written(picture), width, height)


def _read(name: str, form: str, body: bytes) -> Image.Image:
    with Image.open(io.BytesIO(body), formats=(form,)) as found:
        # known before a single pixel is unpacked
        if found.width * found.height > PIXELS_AT_MOST[form]:
            raise Invalid(f"{name}：图片像素太大，请缩小后再上传")
        found.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))
        upright = ImageOps.exif_transpose(found)
        upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
        # pasted onto a fresh sheet: whatever was told beside the pixels stays behind, what was transparent is white
        clear = upright.convert("RGBA")
        sheet = Image.new("RGB", clear.size, "white")
        sheet.paste(clear, mask=clear)
        return sheet


def _written(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=QUALITY, optimize=True, progressive=True)
    return out.getvalue()
