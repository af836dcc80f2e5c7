"""Speech models on disk: is a folder one, and fetching the official ones from their publisher.

The publisher's own server was not reached in tests: downloading, resuming, checking and unpacking are tested against a
local server that serves the same list format (fields ``name url md5 size``).
"""

from __future__ import annotations

import hashlib
import shutil
import stat
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from hotline.errors import Unavailable

LIST_URL: Final = "https://alphacephei.com/vosk/models/model-list.json"
OFFICIAL: Final = {"small-cn": "vosk-model-small-cn-0.22", "cn": "vosk-model-cn-0.22"}
INSTALL_HINT: Final = (
    "Mend it with `hotline speech install small-cn`, or name another model with `export HOTLINE_SPEECH_MODEL=<path>`; "
    "until then calls go on without a transcript."
)

_TIMEOUT_S: Final = (10, 60)  # to connect, and between two pieces
_ATTEMPTS: Final = 3
_PIECE: Final = 1 << 18
_UNPACKED_AT_MOST: Final = 8  # times the size of the archive; real models stay below 3
_GRAPHS: Final = (("HCLG.fst",), ("HCLr.fst", "Gr.fst"))

Progress = Callable[[int, int], None]


class ModelFault(Unavailable):
    """No usable model. The message is one line that ends with what to do."""


def check_model(path: Path | None) -> Path:
    """Return ``path`` if it holds a Vosk model that is whole, else raise ``ModelFault``.

    Looks for what every model has (``am/final.mdl``, ``conf/``, a graph) and, where the folder lists its own checksums
    in ``SHA256SUMS``, at every byte. Costs nothing worth naming beside loading.
    """
    if path is None:
        raise ModelFault(f"no speech model is set. {INSTALL_HINT}")
    if not path.is_dir():
        raise ModelFault(f"there is no speech model in {path}. {INSTALL_HINT}")
    missing = [name for name in ("am/final.mdl", "conf/model.conf") if not _has_bytes(path / name)]
    if not any(all(_has_bytes(path / "graph" / name) for name in graph) for graph in _GRAPHS):
        missing.append("graph/HCLG.fst")
    if missing:
        raise ModelFault(f"the speech model in {path} lacks {', '.join(missing)}. {INSTALL_HINT}")
    for name in _altered(path):
        raise ModelFault(f"the speech model in {path} is damaged: {name} differs from its checksum. {INSTALL_HINT}")
    return path


def _has_bytes(path: Path) -> bool:
    return path.is_file() and path.stat().st_size > 0


def _altered(path: Path) -> list[str]:
    sums = path / "SHA256SUMS"
    if not sums.is_file():
        return []
    lines = [line.split(maxsplit=1) for line in sums.read_text().splitlines() if line.strip()]
    return [name for digest, name in lines if not (path / name).is_file() or _digest(path / name, "sha256") != digest]


def _digest(path: Path, algorithm: str) -> str:
    with path.open("rb") as file:
        # the publisher offers MD5 and nothing better; TLS is what keeps the list honest
        return hashlib.file_digest(file, lambda: hashlib.new(algorithm, usedforsecurity=False)).hexdigest()


def install(name: str, target_dir: Path, *, list_url: str = LIST_URL, progress: Progress | None = None) -> Path:
    """Fetch the official model ``name`` (``small-cn`` or ``cn``) into ``target_dir`` and return its folder.

    ``progress(done, total)`` is called with bytes. A download that breaks off goes on where it stopped, now or at the
    next call. Size and MD5 must be the publisher's before anything is unpacked, and the folder appears under its name
    only when complete. Raises ``ModelFault`` with one line otherwise.
    """
    if name not in OFFICIAL:
        raise ModelFault(f"unknown model {name!r}: choose {' or '.join(OFFICIAL)}")
    official = OFFICIAL[name]
    target = target_dir / official
    if target.is_dir() and _is_whole(target):
        return target
    target_dir.mkdir(parents=True, exist_ok=True)
    entry = _entry(official, list_url)
    _refuse_full_disk(target_dir, entry["size"])
    archive = target_dir / f".{official}.zip.part"
    _download(entry, archive, progress)
    try:
        _unpack(archive, official, target, at_most=entry["size"] * _UNPACKED_AT_MOST)
    finally:
        archive.unlink()
    return target


def install_from(archive: Path, target_dir: Path, *, md5: str) -> Path:
    """Unpack an official model that somebody carried here, for machines without a way out, and return its folder.

    ``archive`` is named as its publisher names it, ``md5`` is what the publisher lists for it. Nothing is unpacked
    unless they fit. Raises ``ModelFault`` with one line otherwise.
    """
    official = archive.name.removesuffix(".zip")
    if official not in OFFICIAL.values():
        raise ModelFault(f"{archive.name} is none of {', '.join(f'{name}.zip' for name in OFFICIAL.values())}")
    if not archive.is_file():
        raise ModelFault(f"there is no file {archive}")
    if (found := _digest(archive, "md5")) != md5.strip().lower():
        raise ModelFault(f"{archive} is not the file its publisher lists: its MD5 is {found}")
    size = archive.stat().st_size
    target_dir.mkdir(parents=True, exist_ok=True)
    _refuse_full_disk(target_dir, size)
    target = target_dir / official
    _unpack(archive, official, target, at_most=size * _UNPACKED_AT_MOST)
    return target


def _is_whole(path: Path) -> bool:
    try:
        check_model(path)
    except ModelFault:
        return False
    return True


def _entry(official: str, list_url: str) -> dict[str, Any]:
    try:
        answer = requests.get(list_url, timeout=_TIMEOUT_S)
        answer.raise_for_status()
        found = [entry for entry in answer.json() if entry["name"] == official]
        if not found:
            raise ModelFault(f"{list_url} does not list {official}")
        entry: dict[str, Any] = {
            "url": str(found[0]["url"]),
            "md5": str(found[0]["md5"]).lower(),
            "size": int(found[0]["size"]),
        }
    except requests.RequestException as fault:
        raise ModelFault(f"{list_url} cannot be read ({type(fault).__name__}): try again later") from fault
    except (ValueError, KeyError, TypeError) as fault:
        raise ModelFault(f"{list_url} is not the list of models it was: {fault!r}") from fault
    if urlsplit(entry["url"]).scheme != urlsplit(list_url).scheme:
        raise ModelFault(f"{entry['url']} is not protected as the list that names it: refused")
    return entry


def _refuse_full_disk(target_dir: Path, size: int) -> None:
    free, wanted = shutil.disk_usage(target_dir).free, size * 4
    if free < wanted:
        raise ModelFault(f"{target_dir} has {free >> 20} MB free and the model wants {wanted >> 20} MB")


def _download(entry: dict[str, Any], archive: Path, progress: Progress | None) -> None:
    size = entry["size"]
    fault: Exception | None = None
    for _ in range(_ATTEMPTS):
        try:
            _go_on(entry["url"], archive, size, progress)
        except (requests.RequestException, HTTPError) as broken:
            fault = broken
        if _size(archive) >= size:
            break
    if _size(archive) < size:
        why = type(fault).__name__ if fault else "the server stopped sending"
        raise ModelFault(f"{entry['url']} broke off at {_size(archive)} of {size} bytes ({why}): run it again to go on")
    if _size(archive) > size or _digest(archive, "md5") != entry["md5"]:
        archive.unlink()
        raise ModelFault(f"{entry['url']} is not the file its publisher lists (size or MD5 differ): nothing was kept")


def _go_on(url: str, archive: Path, size: int, progress: Progress | None) -> None:
    """Append what is missing; a server that cannot resume starts over."""
    done = _size(archive)
    if done >= size:
        return
    headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if done else {})
    with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT_S) as answer:
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            archive.unlink()
            return
        answer.raise_for_status()
        if answer.headers.get("Content-Range", "").startswith(f"bytes {done}-"):
            file = archive.open("ab")
        else:
            file, done = archive.open("wb"), 0
        with file:
            # read1 gives what has come; iter_content would throw a begun piece away when the line breaks
            for piece in iter(lambda: answer.raw.read1(_PIECE), b""):
                file.write(piece)
                done += len(piece)
                if progress:
                    progress(done, size)
                if done > size:
                    return


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _unpack(archive: Path, official: str, target: Path, *, at_most: int) -> None:
    with tempfile.TemporaryDirectory(prefix=f".{official}.", dir=target.parent) as folder:
        try:
            with zipfile.ZipFile(archive) as bundle:
                for member in bundle.infolist():
                    _refuse_escape(member, official)
                if sum(member.file_size for member in bundle.infolist()) > at_most:
                    raise ModelFault(f"{official}: the archive unpacks to more than a model can be: refused")
                bundle.extractall(folder)
        except zipfile.BadZipFile as fault:
            raise ModelFault(f"{official}: the archive is damaged ({fault})") from fault
        fresh = check_model(Path(folder) / official)
        if target.exists():  # a broken one: it was looked at before the download
            target.replace(Path(folder) / "broken")
        fresh.replace(target)


def _refuse_escape(member: zipfile.ZipInfo, official: str) -> None:
    path = PurePosixPath(member.filename)
    link = stat.S_ISLNK(member.external_attr >> 16)
    if link or path.is_absolute() or ".." in path.parts or "\\" in member.filename or path.parts[:1] != (official,):
        raise ModelFault(f"{official}: the archive holds {member.filename!r}, which does not belong to it: refused")
