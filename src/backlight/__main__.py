"""`python -m backlight` is the command `backlight`."""

from backlight.cli import main

main()
