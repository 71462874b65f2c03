"""Pearson's correlation between two sets of columns, gathered chunk by chunk."""

import numpy as np

from backlight.arrays import Floats


class Products:
    """Means, and sums of squares and products about the means, of two sets of columns.

    Args:
        rows: how many columns the one set has.
        columns: how many the other has.

    Example:
        >>> products = Products(1, 1)
        >>> products.add(np.array([[0.0], [1.0]]), np.array([[3.0], [1.0]]))
        >>> products.add(np.array([[2.0]]), np.array([[-1.0]]))
        >>> products.correlations().round(12).tolist()
        [[-1.0]]

    Source: the merging of chunks is that of Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for
    computing sample variances", 1979.
    """

    def __init__(self, rows: int, columns: int) -> None:
        self.count = 0
        self.means = [np.zeros(rows), np.zeros(columns)]
        self.squares = [np.zeros(rows), np.zeros(columns)]
        self.lows = [np.full(rows, np.inf), np.full(columns, np.inf)]
        self.highs = [np.full(rows, -np.inf), np.full(columns, -np.inf)]
        self.products = np.zeros((rows, columns))

    def add(self, one: Floats, other: Floats) -> None:
        """Take in a chunk of both, (n, rows) and (n, columns)."""
        count = len(one)
        total = self.count + count
        weight = self.count * count / total
        means = [values.mean(axis=0) for values in (one, other)]
        shifts = [mean - before for mean, before in zip(means, self.means, strict=True)]
        centred = [values - mean for values, mean in zip((one, other), means, strict=True)]
        self.products += centred[0].T @ centred[1] + weight * np.outer(*shifts)
        for side, values in enumerate((one, other)):
            self.squares[side] += (centred[side] ** 2).sum(axis=0) + weight * shifts[side] ** 2
            self.means[side] += shifts[side] * (count / total)
            np.minimum(self.lows[side], values.min(axis=0), out=self.lows[side])
            np.maximum(self.highs[side], values.max(axis=0), out=self.highs[side])
        self.count = total

    def correlations(self) -> Floats:
        """Pearson's correlations (rows, columns); 0 where a column never changes."""
        scales = [
            np.where(high > low, np.sqrt(square), 0.0)
            for low, high, square in zip(self.lows, self.highs, self.squares, strict=True)
        ]
        scale = np.outer(*scales)
        return np.divide(self.products, scale, out=np.zeros_like(scale), where=scale > 0)


def pearson(one: Floats, other: Floats) -> float:
    """Pearson's correlation of two arrays (n,); 0 where either is constant.

    Example:
        >>> pearson(np.array([0.0, 1.0, 2.0]), np.array([5.0, 5.0, 5.0]))
        0.0
    """
    products = Products(1, 1)
    products.add(one[:, None], other[:, None])
    return float(products.correlations()[0, 0])
