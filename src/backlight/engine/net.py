"""A network's memory in the native engine, which a session or a predictor holds."""

from typing import TYPE_CHECKING

from backlight.engine.library import Library
from backlight.engine.native_interface import Work, functions, setup
from backlight.engine.program import Program

if TYPE_CHECKING:
    from backlight.data.augment import Augmentation


class Net:
    """A network's memory in the engine, freed with the last reference to it; arguments as for `setup`."""

    def __init__(
        self,
        library: Library,
        program: Program,
        *,
        capacity: int,
        training: bool,
        threads: int,
        seed: int,
        augmentation: "Augmentation | None" = None,
    ) -> None:
        start, self._run, self._end = functions(library.dll, 8 * program.dtype.itemsize)
        self.handle = start(
            setup(
                program,
                capacity=capacity,
                training=training,
                threads=threads,
                seed=seed,
                augmentation=augmentation,
            )
        )
        if not self.handle:
            raise MemoryError(f"there is not enough memory for batches of {capacity} rows")

    def __del__(self) -> None:
        if getattr(self, "handle", None):
            self._end(self.handle)

    def run(self, work: Work, thread: int) -> None:
        """One thread's part of a call."""
        self._run(self.handle, work, thread)
