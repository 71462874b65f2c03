"""What a network is compared with."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Rival:
    """Something simpler than the network, measured on the same examples.

    Attributes:
        name: "baseline" or "linear model".
        what: what it answers, or how it was made.
        metrics: as those of the network; None where a number is not finite.
    """

    name: str
    what: str
    metrics: Mapping[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The rival as plain data: `what`, and its metrics.

        Example:
            >>> Rival("baseline", "always 'no'", {"accuracy": 0.5}).to_dict()
            {'what': "always 'no'", 'accuracy': 0.5}
        """
        return {"what": self.what, **self.metrics}
