"""What augmentation adds to a step, beside Pillow."""

import numpy as np
import pytest
from PIL import Image

from backlight.bench import augmenting
from backlight.bench.data import noise


@pytest.fixture(autouse=True)
def quickly(monkeypatch):
    monkeypatch.setattr(augmenting, "images", lambda: (noise(1000), np.arange(1000) % 10))
    monkeypatch.setattr(augmenting, "_SECONDS", 0.001)


def test_every_augmentation_is_measured_beside_pillow():
    found = [time.as_dict() for time in augmenting.measure_augmenting(2, 1)]
    assert [row["what"] for row in found] == list(augmenting.AUGMENTATIONS)
    assert (found[0]["added"], found[0]["image_us"], found[0]["pillow_us"]) == (0, 0, None)
    for row in found[1:]:
        assert row["step_us"] > 0
        assert min(row["pillow_us"], row["transform_us"]) > 0


def test_a_mesh_whose_corners_stay_changes_nothing():
    image = Image.fromarray(noise(1).reshape(28, 28))
    still = np.mgrid[0:29:4, 0:29:4].astype(float)
    seen = image.transform((28, 28), Image.Transform.MESH, augmenting._mesh(still), Image.Resampling.BILINEAR)
    assert np.array_equal(np.asarray(seen), np.asarray(image))
