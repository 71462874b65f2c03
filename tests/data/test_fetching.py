import gzip
import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from backlight.data import fetching
from backlight.data.idx import FILES
from backlight.errors import BacklightError, InputError

CONTENT = {file: np.random.default_rng(i).bytes(50_000) for i, file in enumerate(FILES)}
SHA256 = {file: hashlib.sha256(content).hexdigest() for file, content in CONTENT.items()}
PACKED = {f"{file}.gz": gzip.compress(content, mtime=0) for file, content in CONTENT.items()}


class Mirror(BaseHTTPRequestHandler):
    """Mirrors that behave, and mirrors that misbehave, told apart by the first folder of the address."""

    asked: ClassVar[list[tuple[str, str | None]]] = []

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        _, kind, name = self.path.split("/")
        wanted = self.headers["Range"]
        self.asked.append((self.path, wanted))
        if kind == "gone":
            self.send_error(404)
            return
        content = gzip.compress(b"something else") if kind == "wrong" else PACKED[name]
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and kind != "rangeless" else 0
        if start and start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            shift = 1 if kind == "shifted" else 0
            self.send_header("Content-Range", f"bytes {start + shift}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        body = content[start:]
        self.wfile.write(body[: len(body) // 2] if kind == "broken" else body)


@pytest.fixture
def mirrors(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A function that makes mirrors of the given kinds the ones of mnist, and what they were asked for."""
    Mirror.asked.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Mirror)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(fetching, "_TIMEOUT_SECONDS", 5.0)

    def use(*kinds: str) -> list[tuple[str, str | None]]:
        addresses = tuple(f"http://127.0.0.1:{server.server_address[1]}/{kind}/" for kind in kinds)
        monkeypatch.setitem(fetching.MIRRORED, "mnist", fetching.Mirrored(addresses, SHA256))
        return Mirror.asked

    yield use
    server.shutdown()
    thread.join()
    server.server_close()


def assert_whole(folder: Any, paths: Any) -> None:
    assert [path.name for path in paths] == list(PACKED)
    assert sorted(path.name for path in folder.iterdir()) == sorted(PACKED)
    for path in paths:
        assert gzip.decompress(path.read_bytes()) == CONTENT[path.stem]


def test_files_are_fetched_verified_and_kept(tmp_path: Path, mirrors: Any) -> None:
    asked = mirrors("good")
    told: list[tuple[str, int, int | None]] = []
    folder = tmp_path / "new" / "mnist"
    assert_whole(folder, fetching.fetch("mnist", folder, lambda *piece: told.append(piece)))
    assert len(asked) == 4
    assert {name for name, _, _ in told} == set(PACKED)
    assert all(have <= (total or 0) for _, have, total in told)
    fetching.fetch("mnist", folder)
    assert len(asked) == 4


def test_a_file_that_was_there_unpacked_is_enough(tmp_path: Path, mirrors: Any) -> None:
    asked = mirrors("good")
    (tmp_path / FILES[0]).write_bytes(CONTENT[FILES[0]])
    assert fetching.fetch("mnist", tmp_path)[0] == tmp_path / FILES[0]
    assert len(asked) == 3


def test_a_file_that_is_damaged_is_fetched_again(tmp_path: Path, mirrors: Any) -> None:
    mirrors("good")
    (tmp_path / f"{FILES[0]}.gz").write_bytes(b"damaged")
    assert_whole(tmp_path, fetching.fetch("mnist", tmp_path))


def test_a_broken_connection_leaves_a_part_from_which_the_next_attempt_goes_on(tmp_path: Path, mirrors: Any) -> None:
    asked = mirrors("broken")
    with pytest.raises(BacklightError, match=r"the connection ended after 25,01. of 50,0.. bytes"):
        fetching.fetch("mnist", tmp_path)
    part = tmp_path / f"{FILES[0]}.gz.part"
    half = part.stat().st_size
    assert [path.name for path in tmp_path.iterdir()] == [part.name]
    asked.clear()
    mirrors("good")
    assert_whole(tmp_path, fetching.fetch("mnist", tmp_path))
    assert asked[0] == (f"/good/{FILES[0]}.gz", f"bytes={half}-")


@pytest.mark.parametrize("kinds", [("rangeless",), ("shifted", "good")])
def test_a_server_that_cannot_resume(tmp_path: Path, mirrors: Any, kinds: Any) -> None:
    mirrors(*kinds)
    (tmp_path / f"{FILES[0]}.gz.part").write_bytes(PACKED[f"{FILES[0]}.gz"][:1000])
    assert_whole(tmp_path, fetching.fetch("mnist", tmp_path))


@pytest.mark.parametrize("part", [b"other bytes", b"x" * 90_000, PACKED[f"{FILES[0]}.gz"]])
def test_a_part_of_another_file_is_given_up_and_a_whole_one_is_taken(tmp_path: Path, mirrors: Any, part: Any) -> None:
    mirrors("good")
    (tmp_path / f"{FILES[0]}.gz.part").write_bytes(part)
    assert_whole(tmp_path, fetching.fetch("mnist", tmp_path))


@pytest.mark.parametrize("kinds", [("gone", "good"), ("wrong", "good"), ("broken", "good"), ("wrong", "gone", "good")])
def test_the_next_mirror_is_tried(tmp_path: Path, mirrors: Any, kinds: Any) -> None:
    mirrors(*kinds)
    assert_whole(tmp_path, fetching.fetch("mnist", tmp_path))


def test_all_mirrors_failing_says_why_and_what_to_put_where(tmp_path: Path, mirrors: Any) -> None:
    mirrors("gone", "wrong")
    with pytest.raises(BacklightError) as caught:
        fetching.fetch("mnist", tmp_path)
    message = str(caught.value)
    assert "/gone/train-images-idx3-ubyte.gz: the server answered 404" in message
    assert "/wrong/train-images-idx3-ubyte.gz: the file does not have the expected SHA-256" in message
    assert all(file in message for file in PACKED)
    assert f"into {tmp_path}" in message
    assert not isinstance(caught.value, InputError)
    assert list(tmp_path.iterdir()) == []


def test_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nobody = fetching.Mirrored(("http://127.0.0.1:9/",), SHA256)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setitem(fetching.MIRRORED, "mnist", nobody)
    with pytest.raises(BacklightError, match=r"refused.*or put train-images-idx3-ubyte\.gz"):
        fetching.fetch("mnist", tmp_path)


def test_a_file_that_is_too_long_is_given_up(tmp_path: Path, mirrors: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    mirrors("good")
    monkeypatch.setattr(fetching, "_MOST", 1000)
    with pytest.raises(BacklightError, match="longer than the 1,000 bytes"):
        fetching.fetch("mnist", tmp_path)


def test_what_is_not_fetched(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="digits comes with Backlight, so there is nothing to fetch"):
        fetching.fetch("digits", tmp_path)
    with pytest.raises(InputError, match="there is no built-in data set 'mnits'; did you mean 'mnist'"):
        fetching.fetch("mnits", tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(BacklightError, match="cannot make the folder"):
        fetching.fetch("mnist", tmp_path / "file" / "sub")


def test_every_set_that_is_fetched_has_mirrors_and_checksums() -> None:
    for name, mirrored in fetching.MIRRORED.items():
        assert set(mirrored.sha256) == set(FILES)
        assert all(len(checksum) == 64 for checksum in mirrored.sha256.values())
        assert any(mirror.startswith("https://") for mirror in mirrored.mirrors), name
        assert all(mirror.endswith("/") for mirror in mirrored.mirrors)
