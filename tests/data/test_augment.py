"""What augmentation means, each part of it computed once more, one pixel at a time."""

import math
from typing import Any

import numpy as np
import pytest
from tests import cases

from backlight.data import ArrayInputs, ImageInputs, TableInputs
from backlight.data.augment import Augmentation, augmentation_for, check_kinds
from backlight.data.augment.affine import draw_maps
from backlight.data.augment.corruption import draw_noise, draw_rectangles, draw_silent
from backlight.data.augment.draws import Chance, Kind
from backlight.data.augment.elastic import draw_moves, gaussian_weights
from backlight.data.augment.warping import warp
from backlight.data.tables.columns import CategoryColumn, DateColumn, NumberColumn
from backlight.errors import InputError

CHANCE = Chance(3, 5, np.arange(400))


def bilinear(image: Any, x: float, y: float) -> float:
    """One pixel of an image (height, width) between its neighbours, nothing outside."""
    value, left, top = 0.0, math.floor(x), math.floor(y)
    for row in (top, top + 1):
        for column in (left, left + 1):
            inside = 0 <= row < image.shape[0] and 0 <= column < image.shape[1]
            value += image[row, column] * (1 - abs(x - column)) * (1 - abs(y - row)) if inside else 0.0
    return value


@pytest.mark.parametrize("shape", [(1, 1), (5, 8), (9, 4)])
def test_warping_fetches_pixel_by_pixel(shape):
    images, moves = cases.some((6, *shape, 1), 1), cases.some((2, 6, *shape), 2, 1.5)
    maps = draw_maps(Chance(0, 0, np.arange(6)), shape, rotate=60, scale=0.4, shear=20, shift=2)
    warped = warp(images, maps, moves)
    for n, r, c in np.ndindex(6, *shape):
        x, y = maps[n] @ (c, r, 1) + moves[:, n, r, c]
        assert warped[n, r, c, 0] == pytest.approx(bilinear(images[n, :, :, 0], x, y), abs=1e-12)


def test_maps_undo_mirroring_scaling_shearing_turning_and_shifting():
    given = {"rotate": 40.0, "scale": 0.3, "shear": 25.0, "shift": 3.0, "flip": 0.5}
    maps, u = draw_maps(CHANCE, (20, 31), **given), 2 * CHANCE.uniforms(Kind.MAP, 7) - 1
    mirrored = CHANCE.words(Kind.MAP, 7)[:, 6] < 2**31
    assert 150 < mirrored.sum() < 250
    for n in range(10):
        angle, tilt = math.radians(40 * u[n, 0]), math.tan(math.radians(25 * u[n, 3]))
        turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
        sizes = np.diag([1 + 0.3 * u[n, 1], 1 + 0.3 * u[n, 2]]) @ np.diag([-1 if mirrored[n] else 1, 1])
        middle = np.array([15.0, 9.5])
        p = np.array([4.0, 11.0])
        seen = turn @ [[1, tilt], [0, 1]] @ sizes @ (p - middle) + middle + 3 * u[n, 4:6]
        np.testing.assert_allclose(maps[n] @ [*seen, 1], p, atol=1e-10)


@pytest.mark.parametrize("kind", ["rotate", "scale", "shear", "shift"])
def test_what_is_drawn_fills_its_range_evenly(kind):
    most = {"rotate": 30.0, "scale": 0.2, "shear": 15.0, "shift": 4.0}[kind]
    inverse = np.linalg.inv(draw_maps(CHANCE, (9, 9), **{kind: most})[:, :, :2])
    found = {
        "rotate": np.degrees(np.arctan2(inverse[:, 1, 0], inverse[:, 0, 0])),
        "scale": inverse[:, 0, 0] - 1,
        "shear": np.degrees(np.arctan(inverse[:, 0, 1])),
        "shift": -draw_maps(CHANCE, (9, 9), shift=4.0)[:, 0, 2],
    }[kind]
    assert np.abs(found).max() < most
    assert np.abs(found).max() > 0.95 * most
    assert abs(found.mean()) < 0.1 * most
    assert found.std() == pytest.approx(most / math.sqrt(3), rel=0.1)


def test_moves_are_random_fields_smoothed_by_a_gaussian():
    (height, width), sigma, alpha = (6, 7), 0.9, 5.0
    few = Chance(1, 2, np.array([4, 9]))
    weights, moves = gaussian_weights(sigma), draw_moves(few, (height, width), alpha, sigma)
    assert len(weights) == 4
    assert 2 * weights.sum() - weights[0] == pytest.approx(1)
    assert weights[2] / weights[0] == pytest.approx(math.exp(-0.5 * (2 / sigma) ** 2))
    words = few.words(Kind.FIELD, 24).reshape(2, 6, 4)
    for field, n in np.ndindex(2, 2):
        random = {}
        for k, (r, c) in enumerate(np.ndindex(height, width)):
            word = int(words[n, k // 8, 2 * field + k % 8 // 4])
            random[r, c] = (2 * (word >> 8 * (k % 4) & 255) - 255) / 255
        for r, c in ((0, 0), (2, 3), (5, 6)):
            total = sum(
                v * weights[abs(row - r)] * weights[abs(column - c)]
                for (row, column), v in random.items()
                if abs(row - r) < 4 and abs(column - c) < 4
            )
            assert moves[field, n, r, c] == pytest.approx(alpha * total)


def test_noise_is_standard_normal():
    noise = draw_noise(CHANCE, 500)
    assert abs(noise.mean()) < 0.01
    assert abs((noise**2).mean() - 1) < 0.01
    assert abs((noise**4).mean() - 3) < 0.1
    assert abs(np.corrcoef(noise[:, 0], noise[:, 1])[0, 1]) < 0.15


def test_rectangles_lie_within_and_have_all_areas_up_to_the_most():
    top, bottom, left, right = draw_rectangles(CHANCE, (20, 30), 0.4).T
    assert (top >= 0).all()
    assert (bottom <= 20).all()
    assert (left >= 0).all()
    assert (right <= 30).all()
    areas = (bottom - top) * (right - left) / 600
    assert areas.max() < 0.45  # whole pixels
    assert areas.mean() == pytest.approx(0.2, rel=0.1)
    x = Augmentation((20, 30), erase=0.4).changed(np.ones((400, 600)), seed=3, epoch=5, rows=np.arange(400))
    assert np.array_equal((x == 0).sum(axis=1), np.rint(areas * 600))


def test_silent_columns_are_silent_with_all_their_inputs():
    table = Augmentation(columns=0.3, column=(0, 0, 1, 2, 2, 2))
    x = table.changed(np.ones((400, 6)), seed=3, epoch=5, rows=np.arange(400))
    silent = draw_silent(CHANCE, 3, 0.3)
    assert np.array_equal(x == 0, silent[:, [0, 0, 1, 2, 2, 2]])
    assert silent.mean() == pytest.approx(0.3, abs=0.05)


def test_a_mirrored_image_is_mirrored_to_the_bit():
    image = cases.some((1, 35), 1).astype(np.float32)
    seen = Augmentation((5, 7), flip=1).changed(image, seed=0, epoch=0, rows=np.array([0]))
    assert np.array_equal(seen.reshape(5, 7), image.reshape(5, 7)[:, ::-1])


def test_bytes_are_read_as_fractions():
    x = np.array([[0, 51, 102, 255]], np.uint8)
    seen = Augmentation((2, 2)).changed(x, seed=0, epoch=0, rows=[3])
    assert seen.dtype == np.float32
    np.testing.assert_allclose(seen, x / 255, rtol=1e-6)


def test_colours_of_a_pixel_stay_together():
    gray = cases.some((3, 6, 5, 1), 1)
    given, rows = cases.IMAGE_AUGMENTATIONS["affine"], np.arange(3)
    colour = Augmentation((6, 5, 3), **given).changed(
        np.repeat(gray, 3, axis=3).reshape(3, -1), seed=0, epoch=1, rows=rows
    )
    alone = Augmentation((6, 5), **given).changed(gray.reshape(3, -1), seed=0, epoch=1, rows=rows)
    np.testing.assert_array_equal(colour.reshape(3, 30, 3), np.repeat(alone[:, :, None], 3, axis=2))


# as it is typed -------------------------------------------------------------------------------------------------------

TABLE = TableInputs(
    (
        NumberColumn("age", 0.0, 1.0, missing=True),
        CategoryColumn("sex", ("f", "m"), missing=False),
        DateColumn("born", 0.0, 1.0, missing=False, parts=("elapsed", "season")),
        DateColumn("at", 0.0, 1.0, missing=False, parts=("hour",)),
    ),
    {},
)


def test_columns_of_a_table_are_known_by_its_inputs():
    found = augmentation_for("noise=0.1, columns=0.2", TABLE)
    assert found.column == (0, 0, 1, 1, 2, 2, 2, 3, 3)
    assert found.noisy == (True, False, False, False, True, False, False, False, False)
    assert (found.noise, found.columns) == (0.1, 0.2)
    assert len(found.column) == TABLE.width


def test_arrays_of_numbers_are_tables_and_arrays_of_bytes_images():
    numbers = ArrayInputs((2, 3), "float32", (0.0,) * 6, (1.0,) * 6)
    assert augmentation_for("columns=0.2", numbers).column == tuple(range(6))
    assert augmentation_for("flip=0.5", ArrayInputs((2, 3), "uint8", (), ())).shape == (2, 3)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "there is no augmentation ''; there are 'rotate'"),
        ("rotat=3", "there is no augmentation 'rotat'; did you mean 'rotate'?"),
        ("rotate=3,rotate=4", "rotate is given twice"),
        ("rotate", "rotate needs a number; write rotate=NUMBER"),
        ("rotate=", "rotate is '', which is no number"),
        ("rotate=nan", "rotate is nan; it must be degrees from 0 to 180"),
        ("rotate=-1", "rotate is -1.0; it must be degrees from 0 to 180"),
        ("rotate=181", "rotate is 181.0; it must be"),
        ("scale=1", "scale is 1.0; it must be a fraction from 0 to 0.9"),
        ("flip=2", "flip is 2.0; it must be a probability from 0 to 1"),
        ("elastic=34", "elastic is '34'; write elastic=ALPHA:SIGMA, such as elastic=34:4"),
        ("elastic=34:0", "elastic is 34:0; it must be ALPHA:SIGMA in pixels"),
        ("elastic=34:x", "elastic is 'x', which is no number; write elastic=ALPHA:SIGMA"),
        ("elastic", "elastic needs a number; write elastic=ALPHA:SIGMA"),
        ("elastic=inf:4", "elastic is inf:4; it must be"),
    ],
)
def test_impossible_texts_are_refused(text, told):
    with pytest.raises(InputError, match=r".*") as refused:
        check_kinds(text)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("text", "inputs", "told"),
    [
        ("rotate=3", TABLE, "rotate is for images with pixels from 0 to 1, and these are columns of numbers"),
        ("columns=0.1", ImageInputs((8, 8), "uint8"), "columns is for tables, and these are images"),
        ("shift=9", ImageInputs((8, 4), "uint8"), "shift is 9 pixels, and the images are 4 × 8"),
    ],
)
def test_kinds_that_do_not_suit_the_inputs_are_refused(text, inputs, told):
    with pytest.raises(InputError, match=r".*") as refused:
        augmentation_for(text, inputs)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("shape", "given", "told"),
    [
        ((4100, 4100), {}, "images of 4100 × 4100 are too large"),
        ((3,), {}, "shape is (3,); images are (height, width) or (height, width, 3)"),
        ((3, 3, 4), {}, "shape is (3, 3, 4)"),
        ((3, 3), {"columns": 0.1}, "columns are those of tables"),
        ((), {"erase": 0.1}, "erase is for images, and there is no shape"),
        ((3, 3), {"noise": "much"}, "noise is 'much'; it must be a standard deviation"),
    ],
)
def test_impossible_augmentations_are_refused(shape, given, told):
    with pytest.raises(InputError, match=r".*") as refused:
        Augmentation(shape, **given)
    assert told in str(refused.value)
