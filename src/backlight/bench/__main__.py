"""`python -m backlight.bench`: measure, and print a table."""

import sys

from backlight.bench.explaining import WIDTHS, measure_explaining
from backlight.bench.imports import STATEMENTS, measure_imports


def main() -> None:
    """Print what was measured."""
    width = max(map(len, STATEMENTS))
    lines = [f"{'statement':{width}}  milliseconds  times {STATEMENTS[0]!r}"]
    lines += [f"{t.statement:{width}}  {1000 * t.seconds:12.1f}  {t.ratio:.2f}" for t in measure_imports()]
    lines += ["", f"on a network {'-'.join(map(str, WIDTHS))}"]
    lines += [f"{t.what:{width}}  {1000 * t.seconds:12,.1f} ms" for t in measure_explaining()]
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
