"""Many images as one array: the same whether or not small ones are decoded when they are looked at."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from backlight.data.images import sets
from backlight.data.images.files import ImageFiles, image_files
from backlight.data.images.sets import ImageSet, read_images


def folder_of_forms(folder: Path, forms: tuple[str, ...]) -> Path:
    """Pictures of one size in many forms, one of them turned by EXIF, one of another size, one large, one twice."""
    folder.mkdir()
    for k, mode in enumerate(forms):
        values = np.random.default_rng(k).integers(0, 256, (5, 7, 3), np.uint8)
        Image.fromarray(values).convert("L" if mode == "I;16" else mode).save(folder / f"{k}.png")
        if mode == "I;16":
            Image.fromarray(values[..., 0].astype(np.uint16) * 250).save(folder / f"{k}.png")
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(values[..., 0].T.copy()).save(folder / "turned.jpg", exif=turned)
    Image.new("L", (3, 3), 77).save(folder / "small.png")
    Image.new("L", (90, 70), 99).save(folder / "large.png")
    (folder / "twin.png").write_bytes((folder / "0.png").read_bytes())
    return folder


def read(folder: Path, **options: Any) -> ImageSet:
    with image_files(folder) as files:
        return read_images(files, files.names, **options)


GREY, ANY = ("L", "1", "LA", "I;16"), ("L", "RGB", "1", "RGBA", "P", "LA", "I;16")


@pytest.mark.parametrize("forms", [GREY, ANY])
@pytest.mark.parametrize("options", [{}, {"gray": True}, {"size": (4, 4)}, {"size": (4, 4), "gray": True}])
def test_small_images_by_definition(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forms: tuple[str, ...], options: dict[str, Any]
) -> None:
    folder = folder_of_forms(tmp_path / "f", forms)
    quick = read(folder, **options)
    monkeypatch.setattr(sets, "_SMALL", 0)
    slow = read(folder, **options)
    assert np.array_equal(quick.pixels, slow.pixels)
    assert np.array_equal(quick.kept, slow.kept)
    assert (quick.shape, quick.typical, quick.sha256, quick.twins) == (
        slow.shape,
        slow.typical,
        slow.sha256,
        slow.twins,
    )
    assert len(quick.twins) == 1


def test_a_small_image_is_opened_once_and_a_large_one_never_decoded_in_vain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    real = ImageFiles.open

    def counting(files: ImageFiles, name: str) -> Any:
        opened.append(name)
        return real(files, name)

    folder = folder_of_forms(tmp_path / "f", ANY)
    monkeypatch.setattr(ImageFiles, "open", counting)
    read(folder)
    assert {name for name in opened if opened.count(name) > 1} == {"small.png", "large.png"}
    opened.clear()
    monkeypatch.setattr(sets, "LARGE", 100)  # no memory for them
    read(folder)
    assert {opened.count(name) for name in opened} == {2}


def test_a_small_image_that_is_cut_short_is_broken(tmp_path: Path) -> None:
    folder = folder_of_forms(tmp_path / "f", ANY)
    content = (folder / "1.png").read_bytes()
    (folder / "1.png").write_bytes(content[: len(content) // 2])
    found = read(folder, skip_broken=True)
    assert [(number, reason[:16]) for number, reason in found.broken] == [(1, "is a damaged ima")]
    assert len(found.pixels) == len(found.kept) == 10
