"""A predictor answers as the network predicted when it was made, for one row or many."""

import threading

import numpy as np
import pytest

from backlight import InputError, Network, Predictor
from tests import cases

ENGINES = ("native", "reference")


def close(got: np.ndarray, expected: np.ndarray) -> None:
    assert got.shape == expected.shape
    assert got.dtype == expected.dtype
    tolerance = 2e-5 if got.dtype == np.float32 else 1e-12
    np.testing.assert_allclose(got, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("output", ["softmax", "identity", "sigmoid"])
@pytest.mark.parametrize("count", [1, 3, 511, 1300])
def test_one_row_and_many(engine, dtype, output, count):
    network = Network.mlp(300, 37, 20, 3, dropout=0.2, hidden="gelu", output=output, seed=1, dtype=dtype)
    x = cases.some((count, 300), 2)
    predictor, expected = Predictor(network, engine=engine), network.predict(x)
    close(predictor(x), expected)
    for k in {0, count - 1, count // 2}:
        close(predictor(x[k]), expected[k])
    close(predictor(x), expected)  # and many again after one


@pytest.mark.parametrize("engine", ENGINES)
def test_outputs_in_groups(engine):
    network, x = Network.mlp(30, 12, 41, sizes=(2, 20, 19), seed=1), cases.some((600, 30), 2)
    predictor, expected = Predictor(network, engine=engine), network.predict(x)
    close(predictor(x), expected)
    close(predictor(x[7]), expected[7])


@pytest.mark.parametrize("engine", ENGINES)
def test_whole_numbers_mean_what_they_mean_in_training(engine):
    network = Network.mlp(4, 5, 2, seed=0)
    predictor, x = Predictor(network, engine=engine), np.array([[0, 51, 255, 7]], np.uint8)
    close(predictor(x), network.predict(x))
    close(predictor(x[0]), network.predict(x)[0])
    close(predictor(x.astype(np.int64)[0]), network.predict(x.astype(np.int64))[0])


@pytest.mark.parametrize("engine", ENGINES)
def test_what_is_learnt_afterwards_does_not_reach_it(engine):
    network = Network.mlp(4, 5, 2, seed=0)
    predictor, before = Predictor(network, engine=engine), network.params.copy()
    first = predictor(np.ones(4))
    assert np.array_equal(network.params, before)
    network.params[...] = 0
    assert np.array_equal(predictor(np.ones(4)), first)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_answer_is_not_overwritten_by_the_next(engine):
    predictor = Predictor(Network.mlp(4, 5, 2, seed=0), engine=engine)
    first = predictor(np.ones(4))
    kept = first.copy()
    predictor(-np.ones(4))
    assert np.array_equal(first, kept)


@pytest.mark.parametrize("engine", ENGINES)
def test_no_rows_give_no_answers(engine):
    assert Predictor(Network.mlp(4, 5, 2, seed=0), engine=engine)(np.empty((0, 4))).shape == (0, 2)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("x", [np.ones(3), np.ones((2, 5)), np.ones((1, 1, 4)), np.array(["a"] * 4), 3.0])
def test_what_does_not_fit_is_refused(engine, x):
    with pytest.raises(InputError, match=r"numbers of shape \(4,\) or \(n, 4\) are needed"):
        Predictor(Network.mlp(4, 5, 2, seed=0), engine=engine)(x)


def test_an_unknown_engine_is_refused():
    with pytest.raises(InputError, match="there is no engine"):
        Predictor(Network.mlp(4, 5, 2, seed=0), engine="quantum")


def test_several_threads_take_turns():
    network = Network.mlp(64, 128, 10, seed=0)
    predictor, x = Predictor(network, threads=2), cases.some((1500, 64), 1).astype(np.float32)
    expected, wrong = network.predict(x), []

    def ask(k: int) -> None:
        for _ in range(20):
            if not np.allclose(predictor(x[k]), expected[k], atol=1e-5):
                wrong.append(k)
            if not np.allclose(predictor(x), expected, atol=1e-5):
                wrong.append(-k)

    crew = [threading.Thread(target=ask, args=(k,)) for k in range(1, 5)]
    for member in crew:
        member.start()
    for member in crew:
        member.join()
    assert not wrong
