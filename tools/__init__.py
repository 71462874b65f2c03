"""What builds and checks Backlight and is no part of it."""
