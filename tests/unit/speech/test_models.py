"""Is a folder a model, and fetching one: a wrong or half file never becomes the model."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import stat
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hotline.speech.models import LIST_URL, ModelFault, check_model, install
from hotline.speech.vosk import VoskEngine
from tests.needs import DEMO_MODEL

OFFICIAL = "vosk-model-small-cn-0.22"
FILES = {"am/final.mdl": b"net" * 30_000, "conf/model.conf": b"--beam=13\n", "graph/HCLG.fst": b"graph" * 10_000}


def archive(files: dict[str, bytes], top: str = OFFICIAL) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as bundle:
        for name, content in files.items():
            bundle.writestr(f"{top}/{name}" if top else name, content)
    return out.getvalue()


class Publisher:
    """A local server with the publisher's list and one archive; may break off, may not know how to resume."""

    def __init__(self) -> None:
        self.body = archive(FILES)
        self.entry: dict[str, Any] = {}
        self.breaks_off_at: list[int] = []
        self.resumes = True
        self.asked: list[str | None] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.list_url = f"{self.url}/model-list.json"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def listed(self) -> list[dict[str, Any]]:
        entry = {
            "name": OFFICIAL,
            "url": f"{self.url}/{OFFICIAL}.zip",
            "md5": hashlib.md5(self.body).hexdigest(),
            "size": len(self.body),
            "lang": "cn",
        }
        return [{"name": "vosk-model-small-ko-0.22", "url": "", "md5": "", "size": 1}, entry | self.entry]

    def handler(self) -> type[BaseHTTPRequestHandler]:
        publisher = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, format: str, *args: object) -> None:
                """Keep the test's output clean."""

            def do_GET(self) -> None:
                if self.path.endswith(".json"):
                    self.answer(200, json.dumps(publisher.listed()).encode())
                    return
                wanted = self.headers.get("Range")
                publisher.asked.append(wanted)
                start = int(wanted[6:-1]) if wanted and publisher.resumes else 0
                extra = {"Content-Range": f"bytes {start}-{len(publisher.body) - 1}/{len(publisher.body)}"}
                self.answer(206 if start else 200, publisher.body[start:], extra if start else {})

            def answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(body))} | (headers or {})).items():
                    self.send_header(name, value)
                self.end_headers()
                cut = publisher.breaks_off_at.pop(0) if publisher.asked and publisher.breaks_off_at else len(body)
                self.wfile.write(body[:cut])

        return Handler


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    publisher = Publisher()
    yield publisher
    publisher.server.shutdown()
    publisher.server.server_close()


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_an_official_model_is_fetched_checked_and_unpacked_with_progress(publisher: Publisher, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    model = install(
        "small-cn", tmp_path, list_url=publisher.list_url, progress=lambda done, total: told.append((done, total))
    )
    assert model == tmp_path / OFFICIAL == check_model(model)
    assert (model / "am/final.mdl").read_bytes() == FILES["am/final.mdl"]
    assert told[-1] == (len(publisher.body), len(publisher.body))
    assert left_in(tmp_path) == [OFFICIAL]
    install("small-cn", tmp_path, list_url="http://127.0.0.1:9/nobody-is-asked-again")


def test_a_download_that_breaks_off_goes_on_where_it_stopped(publisher: Publisher, tmp_path: Path) -> None:
    publisher.breaks_off_at = [1000, 2000]
    model = install("small-cn", tmp_path, list_url=publisher.list_url)
    assert check_model(model)
    assert publisher.asked == [None, "bytes=1000-", "bytes=3000-"]


def test_one_that_keeps_breaking_off_is_kept_for_the_next_try_and_is_no_model(
    publisher: Publisher, tmp_path: Path
) -> None:
    publisher.breaks_off_at = [1000, 1000, 1000]
    with pytest.raises(ModelFault, match="broke off at 3000 of"):
        install("small-cn", tmp_path, list_url=publisher.list_url)
    assert left_in(tmp_path) == [f".{OFFICIAL}.zip.part"]
    assert check_model(install("small-cn", tmp_path, list_url=publisher.list_url))
    assert publisher.asked[-1] == "bytes=3000-"


def test_a_server_that_cannot_resume_sends_it_all_again(publisher: Publisher, tmp_path: Path) -> None:
    publisher.resumes, publisher.breaks_off_at = False, [1000]
    assert check_model(install("small-cn", tmp_path, list_url=publisher.list_url))


@pytest.mark.parametrize("wrong", [{"md5": "0" * 32}, {"size": 1000}])
def test_a_file_other_than_the_listed_one_never_becomes_the_model(
    publisher: Publisher, tmp_path: Path, wrong: dict[str, Any]
) -> None:
    publisher.entry = wrong
    with pytest.raises(ModelFault, match="not the file its publisher lists"):
        install("small-cn", tmp_path, list_url=publisher.list_url)
    assert left_in(tmp_path) == []


@pytest.mark.parametrize("escape", ["../evil.txt", "/etc/evil.txt", f"{OFFICIAL}/../../evil.txt", "other/final.mdl"])
def test_an_archive_that_reaches_outside_its_folder_is_refused(
    publisher: Publisher, tmp_path: Path, escape: str
) -> None:
    publisher.body = archive({f"{OFFICIAL}/{name}": content for name, content in FILES.items()} | {escape: b"x"}, "")
    target = tmp_path / "models"
    with pytest.raises(ModelFault, match="does not belong"):
        install("small-cn", target, list_url=publisher.list_url)
    assert (left_in(target), left_in(tmp_path)) == ([], ["models"])


def test_a_listed_file_that_is_no_archive_is_refused_and_not_kept(publisher: Publisher, tmp_path: Path) -> None:
    publisher.body = b"<html>gone</html>" * 100  # size and checksum agree: the list was made of it
    with pytest.raises(ModelFault, match="the archive is damaged"):
        install("small-cn", tmp_path, list_url=publisher.list_url)
    assert left_in(tmp_path) == []


def test_a_disk_without_room_is_said_before_anything_is_fetched(publisher: Publisher, tmp_path: Path) -> None:
    publisher.entry = {"size": 1 << 60}
    with pytest.raises(ModelFault, match="MB free and the model wants"):
        install("small-cn", tmp_path, list_url=publisher.list_url)
    assert (left_in(tmp_path), publisher.asked) == ([], [])


def test_an_installation_that_was_stopped_is_taken_up_where_it_stood(publisher: Publisher, tmp_path: Path) -> None:
    def stop(done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        install("small-cn", tmp_path, list_url=publisher.list_url, progress=stop)
    (half,) = tmp_path.iterdir()
    kept = half.stat().st_size
    assert half.name == f".{OFFICIAL}.zip.part" and kept > 0
    assert check_model(install("small-cn", tmp_path, list_url=publisher.list_url))
    assert left_in(tmp_path) == [OFFICIAL]


def test_a_link_in_the_archive_is_refused(publisher: Publisher, tmp_path: Path) -> None:
    out = io.BytesIO(archive(FILES))
    with zipfile.ZipFile(out, "a") as bundle:
        link = zipfile.ZipInfo(f"{OFFICIAL}/ivector")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        bundle.writestr(link, "/etc")
    publisher.body = out.getvalue()
    with pytest.raises(ModelFault, match="does not belong"):
        install("small-cn", tmp_path, list_url=publisher.list_url)


def test_an_archive_without_a_whole_model_leaves_the_one_that_stands(publisher: Publisher, tmp_path: Path) -> None:
    publisher.body = archive({"am/final.mdl": b"net", "conf/model.conf": b"x"})
    (tmp_path / OFFICIAL / "am").mkdir(parents=True)
    with pytest.raises(ModelFault, match=r"lacks graph/HCLG\.fst"):
        install("small-cn", tmp_path, list_url=publisher.list_url)
    assert left_in(tmp_path) == [OFFICIAL]


def test_a_broken_model_is_replaced(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / OFFICIAL / "am").mkdir(parents=True)
    assert check_model(install("small-cn", tmp_path, list_url=publisher.list_url))
    assert left_in(tmp_path) == [OFFICIAL]


def test_a_list_over_tls_may_not_send_us_elsewhere_without(publisher: Publisher, tmp_path: Path) -> None:
    publisher.entry = {"url": "ftp://127.0.0.1/model.zip"}
    with pytest.raises(ModelFault, match="not protected as the list"):
        install("small-cn", tmp_path, list_url=publisher.list_url)
    assert LIST_URL.startswith("https://")


def test_an_unknown_name_a_missing_entry_and_a_silent_publisher_are_said_in_one_line(
    publisher: Publisher, tmp_path: Path
) -> None:
    with pytest.raises(ModelFault, match="choose small-cn or cn"):
        install("klingon", tmp_path)
    with pytest.raises(ModelFault, match=r"does not list vosk-model-cn-0\.22"):
        install("cn", tmp_path, list_url=publisher.list_url)
    with pytest.raises(ModelFault, match="cannot be read"):
        install("cn", tmp_path, list_url="http://127.0.0.1:9/model-list.json")


def one_line_with_a_remedy(fault: ModelFault) -> bool:
    remedies = ("hotline speech install small-cn", "export HOTLINE_SPEECH_MODEL=")
    return "\n" not in fault.message and all(remedy in fault.message for remedy in remedies)


def test_a_missing_model_is_one_line_with_the_command_that_mends_it(tmp_path: Path) -> None:
    for path, what in ((None, "no speech model is set"), (tmp_path / "nowhere", "there is no speech model")):
        with pytest.raises(ModelFault, match=what) as caught:
            check_model(path)
        assert one_line_with_a_remedy(caught.value)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of the demo model that a test may spoil."""
    return Path(shutil.copytree(DEMO_MODEL, tmp_path / "model"))


@pytest.mark.parametrize("lost", ["am/final.mdl", "conf/model.conf", "graph/HCLG.fst"])
def test_a_model_without_one_of_its_parts_says_which(model: Path, lost: str) -> None:
    (model / lost).write_bytes(b"")
    with pytest.raises(ModelFault, match=lost) as caught:
        check_model(model)
    assert one_line_with_a_remedy(caught.value)


def test_a_model_with_one_byte_changed_differs_from_its_own_checksums(model: Path) -> None:
    net = bytearray((model / "am/final.mdl").read_bytes())
    net[1000] ^= 1
    (model / "am/final.mdl").write_bytes(net)
    with pytest.raises(ModelFault, match=r"damaged: \./am/final\.mdl"):
        check_model(model)


@pytest.mark.speech
def test_a_model_that_vosk_cannot_load_is_one_line_too(model: Path) -> None:
    (model / "SHA256SUMS").unlink()
    (model / "am/final.mdl").write_bytes(b"not a network")
    with pytest.raises(ModelFault, match="cannot be loaded") as caught:
        VoskEngine(check_model(model))
    assert one_line_with_a_remedy(caught.value)
