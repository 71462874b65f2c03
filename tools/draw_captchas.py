"""Draw captchas: images of four characters, each named after what it shows.

    pip install captcha
    python -m tools.draw_captchas captchas
    backlight train captchas --label-from '(.)(.)(.)(.)_'

The package captcha (Hsiaoming Yang, BSD licence) draws them, with its own noise, curves, colours and distortions.
"""

import argparse
import random
import string
from pathlib import Path

CHARACTERS = string.digits + string.ascii_uppercase
LENGTH = 4


def draw(folder: Path, count: int, seed: int) -> None:
    """Draw `count` captchas into a folder that does not exist yet, the same for the same seed and package."""
    from captcha.image import ImageCaptcha

    folder.mkdir(parents=True)
    random.seed(seed)  # the package draws from this one
    painter = ImageCaptcha(width=160, height=60)
    for number in range(count):
        text = "".join(random.choices(CHARACTERS, k=LENGTH))  # noqa: S311 - no secret
        painter.generate_image(text).save(folder / f"{text}_{number:05}.png")


def main() -> None:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description="Draw captchas, each named after what it shows.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    draw(asked.folder, asked.count, asked.seed)


if __name__ == "__main__":
    main()
