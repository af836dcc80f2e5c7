"""A DOCX as the zip archive it is: its parts measured before they are unpacked, and parsed without following anything.

An entity is left as the name it is written with, a relationship that leads outside is never looked at, and there is
nothing in a part that could be run.
"""

from __future__ import annotations

import io
import posixpath
import zipfile
from typing import Any, Final

from lxml import etree

from hotline.errors import Invalid

MOST_PARTS: Final = 5_000
MOST_UNPACKED: Final = 200 * 1024 * 1024
MOST_XML: Final = 60 * 1024 * 1024  # of one part that is parsed
ZIP: Final = b"PK\x03\x04"
COMPOUND: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # old .doc, and every file under a password
ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
MACROS: Final = "vbaproject.bin"
NOT_A_DOCX: Final = "不是正确的 .docx 文件，请用文字处理软件打开后另存为 .docx"
RELATIONS: Final = "{http://schemas.openxmlformats.org/package/2006/relationships}Relationship"
MAIN: Final = "/officeDocument"


class Package:
    """The parts of a DOCX. Raises ``Invalid``, with the reason in words, for what is none or not to be opened."""

    def __init__(self, body: bytes) -> None:
        _check_head(body)
        try:
            self._archive = zipfile.ZipFile(io.BytesIO(body))
            parts = self._archive.infolist()
        except (zipfile.BadZipFile, ValueError, NotImplementedError) as fault:
            raise Invalid(NOT_A_DOCX, file="压缩包损坏") from fault
        self._sizes = {part.filename: part.file_size for part in parts}
        if any(name.lower().endswith(MACROS) for name in self._sizes):
            raise Invalid("这个文件带有宏，请另存为不带宏的 .docx 再上传", file="带宏")
        if any(part.flag_bits & 1 for part in parts):
            raise Invalid("这个文件设了打开密码，请去掉密码再上传", file="有密码")
        # a part never unpacks to more than it declares: whoever reads it stops there
        if len(parts) > MOST_PARTS or sum(self._sizes.values()) > MOST_UNPACKED:
            raise Invalid("文件解压后太大，请删去图片或分成几个再上传", file="解压后太大")
        if "xl/workbook.xml" in self._sizes or "ppt/presentation.xml" in self._sizes:
            raise Invalid("这是表格或演示文稿，改名成了 .docx，请上传原来的文件", file="不是文档")
        self.main = self._main()
        self.folder = posixpath.dirname(self.main)

    def part(self, name: str) -> Any | None:
        """Return the root of an XML part; None when there is none of that name."""
        if name not in self._sizes:
            return None
        if self._sizes[name] > MOST_XML:
            raise Invalid("文件解压后太大，请删去图片或分成几个再上传", file="解压后太大")
        # no parser of the library's own choice: entities stay names, nothing is fetched, trees stay small
        parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
        try:
            return etree.fromstring(self._archive.read(name), parser)
        except (etree.XMLSyntaxError, zipfile.BadZipFile, EOFError, OSError, ValueError, NotImplementedError) as fault:
            raise Invalid(NOT_A_DOCX, file=type(fault).__name__) from fault

    def beside(self, name: str) -> Any | None:
        """Return the root of a part that stands beside the main one."""
        return self.part(posixpath.join(self.folder, name))

    def _main(self) -> str:
        relations = self.part("_rels/.rels")
        for one in relations.iter(RELATIONS) if relations is not None else ():
            if one.get("Type", "").endswith(MAIN) and one.get("TargetMode") != "External":
                name = one.get("Target", "").lstrip("/")
                if name in self._sizes:
                    return str(name)
        raise Invalid(NOT_A_DOCX, file="没有正文")


def _check_head(body: bytes) -> None:
    if body.startswith(COMPOUND):
        if ENCRYPTED in body:
            raise Invalid("这个文件设了打开密码，请去掉密码再上传", file="有密码")
        raise Invalid("这是旧格式的 .doc 文件，请另存为 .docx 再上传", file="旧格式")
    if not body.startswith(ZIP):
        raise Invalid(NOT_A_DOCX, file="不是压缩包")
