"""Images in plain characters."""

import numpy as np

from backlight.cli.drawing import draw_image


def test_colours_are_drawn_by_their_mean() -> None:
    assert draw_image(np.array([[[0, 0, 0], [9, 0, 0], [9, 9, 9]]])) == ["  ░░██"]


def test_wide_images_are_reduced_to_the_room_there_is() -> None:
    wide = np.zeros((30, 90))
    wide[:, :45] = 1
    assert {len(line) for line in draw_image(wide)} == {90}
    for room in (30, 40, 60, 89):
        lines = draw_image(wide, room)
        assert max(map(len, lines)) <= room
        assert set(lines) == {lines[0]}
        assert 0.4 < lines[0].count("█") / len(lines[0]) < 0.6
    assert draw_image(np.eye(3), 1) == draw_image(np.eye(3))
