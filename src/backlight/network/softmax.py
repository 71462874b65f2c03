"""Softmax, over all outputs or over groups of them: several questions at once, each with its own classes."""

from collections.abc import Iterator, Sequence

import numpy as np

from backlight.arrays import Array
from backlight.errors import InputError, whole_number


def check_sizes(sizes: Sequence[int]) -> tuple[int, ...]:
    """The sizes of groups, checked; none where all outputs are one group.

    Raises:
        InputError: there is a single group, or a group has fewer than two outputs.

    Example:
        >>> check_sizes([36, 36]), check_sizes([])
        ((36, 36), ())
    """
    checked = tuple(whole_number(f"the size of group {k}", size, 2) for k, size in enumerate(sizes))
    if len(checked) == 1:
        raise InputError(f"sizes is {checked}; give two groups or more, or no sizes where all outputs are one group")
    return checked


def groups(sizes: Sequence[int], outputs: int) -> Iterator[slice]:
    """Where each group stands among the outputs; all of them where no sizes are given.

    Example:
        >>> list(groups((2, 3), 5)), list(groups((), 5))
        ([slice(0, 2, None), slice(2, 5, None)], [slice(0, 5, None)])
    """
    first = 0
    for size in sizes or (outputs,):
        yield slice(first, first + size)
        first += size


def softmax(z: Array, out: Array, scratch: Sequence[Array], sizes: Sequence[int] = ()) -> None:
    """p_j = exp(z_j) / Σ_k exp(z_k), k over j's group, shifted by the group's largest z so that exp cannot overflow.

    Args:
        z: pre-activations (n, j).
        out: where to write (n, j).
        scratch: one working array (n, j).
        sizes: of the groups; none where all outputs are one.

    Example:
        >>> out = np.empty((1, 4))
        >>> softmax(np.array([[0.0, np.log(3.0), 5.0, 5.0]]), out, [np.empty((1, 4))], (2, 2))
        >>> out.round(3).tolist()
        [[0.25, 0.75, 0.5, 0.5]]
    """
    column = scratch[0][:, :1]
    for group in groups(sizes, z.shape[1]):
        p = out[:, group]
        np.maximum.reduce(z[:, group], axis=1, keepdims=True, out=column)
        np.subtract(z[:, group], column, out=p)
        np.exp(p, out=p)
        np.add.reduce(p, axis=1, keepdims=True, out=column)
        np.divide(p, column, out=p)


def softmax_backward(d_out: Array, a: Array, d_in: Array, scratch: Sequence[Array], sizes: Sequence[int] = ()) -> None:
    """∂loss/∂z_j = a_j (∂loss/∂a_j − Σ_k a_k ∂loss/∂a_k), k over j's group.

    Args:
        d_out: ∂loss/∂a (n, j).
        a: what `softmax` gave (n, j).
        d_in: where to write (n, j).
        scratch: one working array (n, j).
        sizes: as for `softmax`.

    Example:
        >>> d_in = np.empty((1, 2))
        >>> softmax_backward(np.array([[1.0, 0.0]]), np.array([[0.5, 0.5]]), d_in, [np.empty((1, 2))])
        >>> d_in.tolist()
        [[0.25, -0.25]]
    """
    column = scratch[0][:, :1]
    np.multiply(d_out, a, out=d_in)
    for group in groups(sizes, a.shape[1]):
        np.add.reduce(d_in[:, group], axis=1, keepdims=True, out=column)
        np.subtract(d_out[:, group], column, out=d_in[:, group])
    np.multiply(d_in, a, out=d_in)
