"""How many threads the matrix products of NumPy's BLAS may use."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from backlight.errors import whole_number


@cache
def _controller() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def blas_libraries() -> list[dict[str, Any]]:
    """The BLAS libraries that NumPy has loaded: name, version and architecture of each."""
    return [library for library in _controller().info() if library["user_api"] == "blas"]


class Threads:
    """A number of threads, and the stretch of work that it holds for.

    A BLAS gives the same bits only for the same number of threads. So one thread is the default, which means the
    same on every machine; on small networks it is also the fastest.

    Args:
        count: how many; 1 if None.

    Raises:
        InputError: the number is below 1.
    """

    def __init__(self, count: int | None = None) -> None:
        self.count = 1 if count is None else whole_number("threads", count, 1)

    @contextmanager
    def limited(self) -> Iterator[None]:
        """Within the block, BLAS uses that many threads."""
        with _controller().limit(limits=self.count, user_api="blas"):
            yield
