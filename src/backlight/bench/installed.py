"""How much a package and everything that it requires takes on disk."""

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

import backlight


def installed_bytes(name: str) -> int | None:
    """The size of a distribution's files and of those it requires, as installed here; None if it is not installed.

    Args:
        name: of the distribution, such as "scikit-learn".

    Example:
        >>> installed_bytes("backlight") > installed_bytes("numpy") > 1_000_000
        True
        >>> installed_bytes("no-such-package") is None
        True
    """
    found = with_requirements(name)
    return sum(map(_own_bytes, found.values())) if found else None


def with_requirements(name: str) -> dict[str, Distribution]:
    """A distribution and those that it requires, without extras, as far as they are installed."""
    found: dict[str, Distribution] = {}
    waiting = [name]
    while waiting:
        key = re.sub(r"[-_.]+", "-", waiting.pop()).lower()
        if key in found:
            continue
        try:
            found[key] = distribution(key)
        except PackageNotFoundError:
            continue
        for requirement in found[key].requires or ():
            if not re.search(r";.*\bextra\b", requirement):
                waiting += re.findall(r"^[\w.-]+", requirement)
    return found


def _own_bytes(package: Distribution) -> int:
    """The size of its files; of Backlight that of its folder, which an editable installation does not list."""
    if package.name == "backlight":
        files = [path for path in Path(backlight.__file__).parent.rglob("*") if "__pycache__" not in path.parts]
    else:
        files = [Path(str(package.locate_file(file))) for file in package.files or () if file.suffix != ".pyc"]
    return sum(path.stat().st_size for path in files if path.is_file())
