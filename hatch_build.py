"""Compiles the engine when Backlight is installed or packed; where that cannot be, packs Backlight without it."""

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))

from tools.compile_engine import (  # noqa: E402 - it can be found only now
    COMPILED,
    ZIGLANG,
    Plan,
    compile_engine,
    find_compiler,
    system_compiler,
)
from tools.targets import TARGETS, Target, this_machine  # noqa: E402


class EngineHook(BuildHookInterface):  # type: ignore[type-arg]
    """Builds with this machine's C compiler, or with zig's where there is none or $BACKLIGHT_TARGET is set.

    `BACKLIGHT_NO_COMPILE=1` leaves the engine out. `BACKLIGHT_TARGET` names the platform of a wheel that is made on
    another one (see `tools/cross_build.py`).
    """

    def dependencies(self) -> list[str]:
        """What must be installed to build: a C compiler, where the machine has none."""
        target = _target()
        if target is None or _refused() or system_compiler(target):
            return []
        return [ZIGLANG]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and say what the wheel holds and what it is for."""
        editable = version == "editable"
        target = _target()
        folder = COMPILED if editable else ROOT / "build" / "engine" / (target.platform if target else "any")
        reason = self._compile(target, folder)
        if reason is not None and "BACKLIGHT_TARGET" in os.environ:
            raise SystemExit(f"no engine for {os.environ['BACKLIGHT_TARGET']}: {reason}")
        if reason is None and target is not None and not editable:
            build_data["pure_python"] = False
            build_data["tag"] = f"py3-none-{target.platform}"
        if reason is not None:
            folder.mkdir(parents=True, exist_ok=True)
            for path in folder.glob("backlight-*"):
                path.unlink()
            (folder / "why-not.txt").write_text(reason + "\n", encoding="utf-8")
            self.app.display_warning(f"Backlight without its compiled engine: {reason}")
        if not editable:
            for path in sorted(folder.iterdir()):
                build_data["force_include"][str(path)] = f"backlight/engine/compiled/{path.name}"

    def _compile(self, target: Target | None, folder: Path) -> str | None:
        """Compile into the folder; if there is nothing to show for it, the reason."""
        if _refused():
            return "BACKLIGHT_NO_COMPILE was set when Backlight was installed"
        if target is None:
            return "it cannot be compiled for this system or processor"
        compiler = find_compiler(target)
        if compiler is None:
            return "no C compiler was found when Backlight was installed"
        outcome = compile_engine(Plan(target, compiler), folder)
        if not outcome.libraries:
            return f"it could not be compiled when Backlight was installed ({outcome.complaints[0]})"
        for complaint in outcome.complaints:
            self.app.display_warning(f"left out: {complaint}")
        return None


def _refused() -> bool:
    return os.environ.get("BACKLIGHT_NO_COMPILE", "") not in {"", "0"}


def _target() -> Target | None:
    named = os.environ.get("BACKLIGHT_TARGET")
    if named is None:
        return this_machine()
    if named not in TARGETS:
        raise SystemExit(f"BACKLIGHT_TARGET is {named!r}; it must be one of {', '.join(TARGETS)}")
    return TARGETS[named]
