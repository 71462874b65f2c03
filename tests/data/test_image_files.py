"""Which files of a folder or a zip are images, and which zips are not safe to open."""

import os
import struct
import zipfile
from pathlib import Path

import pytest
from tests.pictures import draw, draw_classes, pack

from backlight.data.images.files import image_files
from backlight.errors import InputError


def names(path: Path) -> tuple[str, ...]:
    with image_files(path) as files:
        return files.names


def test_images_by_their_ending_and_nothing_hidden(tmp_path: Path) -> None:
    draw(tmp_path / "b" / "1.PNG")
    for name in (
        "a/2.JPeG",
        "a/notes.txt",
        ".git/3.png",
        "__MACOSX/4.png",
        "a/._5.png",
        "a/Thumbs.db",
        "b/deep/6.webp",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    with image_files(tmp_path) as files:
        assert files.names == ("a/2.JPeG", "b/1.PNG", "b/deep/6.webp")
        assert files.others == ("a/notes.txt",)
        assert sorted(files.folders) == ["a", "b", "b/deep"]


def test_a_single_folder_is_descended_into(tmp_path: Path) -> None:
    draw_classes(tmp_path / "all" / "data", count=1)
    (tmp_path / "readme.md").touch()
    assert names(tmp_path) == ("cat/00.png", "dog/00.png")
    zipped = pack(tmp_path, tmp_path.parent / "z.zip")
    with image_files(zipped) as files:
        assert files.names == ("cat/00.png", "dog/00.png")
        content = files.open("cat/00.png").read()
        assert content == (tmp_path / "all" / "data" / "cat" / "00.png").read_bytes()
        assert files.shown("cat/00.png") == f"{zipped}/all/data/cat/00.png"


def test_links_that_lead_back_or_nowhere(tmp_path: Path) -> None:
    draw(tmp_path / "a" / "1.png")
    draw(tmp_path.parent / "elsewhere" / "2.png")
    (tmp_path / "a" / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "b").symlink_to(tmp_path.parent / "elsewhere", target_is_directory=True)
    (tmp_path / "a" / "gone.png").symlink_to(tmp_path / "nothing.png")
    assert names(tmp_path) == ("a/1.png", "a/gone.png", "b/2.png")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_a_pipe_is_no_image(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p.png")
    draw(tmp_path / "1.png")
    assert names(tmp_path) == ("1.png",)


def test_names_that_are_not_utf_8(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/caf\xe9.png"
    try:
        Path(os.fsdecode(raw)).write_bytes(draw(tmp_path / "a.png").read_bytes())
    except OSError:
        pytest.skip("this file system takes no such names")
    with image_files(tmp_path) as files:
        assert [files.shown(name) for name in files.names] == [f"{tmp_path}/a.png", f"{tmp_path}/caf�.png"]
        with files.open(files.names[1]) as file:
            assert file.read(4) == b"\x89PNG"


def test_a_zip_packed_from_a_dot(tmp_path: Path) -> None:
    """As `zip -r` and other packers name what lies in the working folder."""
    draw_classes(tmp_path / "f", count=1)
    (tmp_path / "f" / "empty").mkdir()
    with zipfile.ZipFile(pack(tmp_path / "f", tmp_path / "z.zip", "./"), "a") as archive:
        archive.writestr("./", b"")
    with image_files(tmp_path / "z.zip") as files:
        assert files.names == ("cat/00.png", "dog/00.png")
        assert sorted(files.folders) == ["cat", "dog", "empty"]
        assert files.open("cat/00.png").read() == (tmp_path / "f" / "cat" / "00.png").read_bytes()


@pytest.mark.parametrize("name", ["../up.png", "/etc/abs.png", "a/../../b.png", "C:/x.png", "..\\up.png"])
def test_a_zip_with_paths_that_lead_out(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr(name, b"")
    with pytest.raises(InputError, match=r"z.zip holds '.*', a path that leads out of it"):
        names(tmp_path / "z.zip")


def test_an_encrypted_zip(tmp_path: Path) -> None:
    draw(tmp_path / "f" / "1.png")
    path = pack(tmp_path / "f", tmp_path / "z.zip")
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"z.zip is encrypted \('1.png'\)"):
        names(path)


def test_a_zip_bomb(tmp_path: Path) -> None:
    draw(tmp_path / "f" / "1.png")
    path = pack(tmp_path / "f", tmp_path / "z.zip")
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, content.index(b"PK\x01\x02") + 24, 1 << 30)
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"'1.png' unpacks to 1,073,741,824 bytes, more than"):
        names(path)


@pytest.mark.parametrize("content", [b"", b"PK", b"no zip at all" * 10])
def test_a_file_that_is_no_zip(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "z.zip").write_bytes(content)
    with pytest.raises(InputError, match=r"z.zip is no zip file that can be read"):
        names(tmp_path / "z.zip")
    with pytest.raises(InputError, match="cannot read"):
        names(tmp_path / "none.zip")


def test_a_folder_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(InputError, match=r"cannot read the folder .*: Permission denied"):
        names(tmp_path)
