import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backlight.errors import InputError
from backlight.explanation import nudge
from backlight.explanation.batches import batch_agreement
from backlight.explanation.examples import wishes_for_weight
from backlight.explanation.nudge import nudged_losses
from backlight.explanation.overfitting import overfitting_step
from backlight.explanation.passes import EXACT_WORK, all_losses, check_examples, full_gradient, precision_for
from backlight.explanation.places import Weight
from backlight.network import Network
from backlight.randomness import Purpose, permutation
from tests import cases
from tests.explanation.made import (
    HIDDEN,
    Problem,
    adds_up,
    close,
    is_plain,
    measured_slope,
    problem,
    problems,
    unusual,
)


def check_wishes(own: Problem, weight: Weight, chunk: int) -> None:
    told = wishes_for_weight(own.moment, own.x, own.y, weight, chunk=chunk)
    wished = -own.gradients()[:, own.weights().index(weight)]
    close(told.wishes, wished)
    close(told.mean, wished.mean())
    adds_up(told.parts)
    close(told.parts.whole, wished.mean())
    assert told.precision == "float64"
    assert told.larger + told.smaller + told.silent == told.count == len(own.x)


@settings(deadline=None, max_examples=60)
@given(problems(), st.integers(1, 7), st.data())
def test_wishes_are_gradients_of_one_example_each(own, chunk, data):
    check_wishes(own, data.draw(st.sampled_from(own.weights())), chunk)


@pytest.mark.parametrize("name", sorted(unusual()))
def test_wishes_for_every_weight_of_networks_that_are_not_plain(name):
    own = unusual()[name]
    for weight in own.weights():
        check_wishes(own, weight, 4)


@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
def test_the_mean_wish_is_the_measured_fall_of_the_cost(output):
    """A five-point difference in float64 with h = 1e-3, good to about 1e-9."""
    own = problem("activation tanh", output, "squared")

    def slope(place: int) -> float:
        return measured_slope(lambda h: own.cost(own.moved({place: h})))

    for place, weight in list(enumerate(own.weights()))[::9]:
        told = wishes_for_weight(own.moment, own.x, own.y, weight)
        close(told.mean, -slope(place), 1e-8)


def test_what_is_told_of_the_wishes():
    own = problem("activation relu", n=100)
    weight = own.weights()[7]
    names = [f"row {n}" for n in range(100)]
    told = wishes_for_weight(own.moment, own.x, own.y, weight, names)
    w = told.wishes
    assert told.larger == sum(w > 0) > 10
    assert told.smaller == sum(w < 0) > 10
    assert told.silent == sum(w == 0) > 0  # where the unit is silent
    assert told.agreeing == (told.larger if told.mean > 0 else told.smaller)
    assert list(told.quantiles) == ["0 %", "5 %", "25 %", "50 %", "75 %", "95 %", "100 %"]
    close(list(told.quantiles.values()), np.percentile(w, [0, 5, 25, 50, 75, 95, 100]))
    expected = set(np.argsort(w)[:10]) | set(np.argsort(w)[-10:])
    assert {voice.number for voice in told.loudest} == expected
    for voice in told.loudest:
        assert voice.name == f"row {voice.number}"
        assert voice.wish == w[voice.number]
        close(voice.share, abs(voice.wish) / np.abs(w).sum())
    sizes = [abs(voice.wish) for voice in told.loudest]
    assert sizes == sorted(sizes, reverse=True)
    assert told.parts.parts[-1].name == "rest"
    close([part.value for part in told.parts.parts[:-1]], [voice.wish / 100 for voice in told.loudest])
    is_plain(told)
    assert len(told.to_dict()["wishes"]) == 100


def test_a_weight_that_no_example_speaks_about():
    own = problem("activation tanh")
    own.x[:, 2] = 0.0
    told = wishes_for_weight(own.moment, own.x, own.y, Weight(0, 1, 2))
    assert (told.mean, told.silent, told.loudest, told.agreeing) == (0.0, 9, (), 9)
    is_plain(told)


@pytest.mark.parametrize("name", ["_carry", "_delta_of_unit"])
def test_an_error_in_either_way_of_computing_is_seen(name, monkeypatch):
    own = problem("deep")
    right = getattr(nudge, name)
    monkeypatch.setattr(nudge, name, lambda *given: right(*given) * (1 + 1e-6))
    parts = wishes_for_weight(own.moment, own.x, own.y, Weight(0, 1, 2)).parts
    with pytest.raises(AssertionError):
        adds_up(parts, 1e-7 * abs(parts.whole))


def test_bytes_are_read_as_shares_of_255_and_chunks_make_no_difference():
    network = Network.mlp(4, 6, 3, hidden="tanh", seed=1)
    x = (np.abs(cases.some((50, 4), 2)) * 80).astype(np.uint8)
    own = Problem(network, "cross_entropy", x, np.arange(50) % 3)
    first, *others = [wishes_for_weight(own.moment, x, own.y, Weight(0, 2, 1), chunk=size) for size in (1, 7, 50, 1024)]
    for told in others:
        close(told.wishes, first.wishes, 1e-14)
    shares = wishes_for_weight(own.moment, x / 255.0, own.y, Weight(0, 2, 1))
    close(first.wishes, shares.wishes, 1e-14)


def test_large_work_is_done_in_float32_and_says_so():
    moment = problem().moment
    assert precision_for(moment, int(EXACT_WORK) // moment.network.params.size) == "float64"
    assert precision_for(moment, int(EXACT_WORK)) == "float32"
    own = problem("deep", n=40)
    for weight in own.weights()[::5]:
        exact = wishes_for_weight(own.moment, own.x, own.y, weight)
        told = wishes_for_weight(own.moment, own.x, own.y, weight, precision="float32")
        assert told.precision == "float32"
        close(told.wishes, exact.wishes, 1e-5)
        adds_up(told.parts, 1e-5)
        assert told.value == exact.value


def test_what_cannot_be_asked_is_refused():
    own = problem("dense")
    for weight in (Weight(0, 6, 0), Weight(0, 0, -1), Weight(2, 0, 0)):
        with pytest.raises(InputError, match=r"was asked for|has no weights"):
            wishes_for_weight(own.moment, own.x, own.y, weight)
    for given_, message in (
        ({"names": ["one"]}, "there are 1 names for 9 examples; give one name per example"),
        ({"chunk": 0}, "chunk is 0; it must be a whole number of at least 1"),
    ):
        with pytest.raises(InputError, match=message):
            wishes_for_weight(own.moment, own.x, own.y, Weight(0, 0, 0), **given_)
    with pytest.raises(InputError, match="x has 4 columns, and the network takes 5 inputs"):
        wishes_for_weight(own.moment, own.x[:, :4], own.y, Weight(0, 0, 0))
    with pytest.raises(InputError, match="each example needs one target"):
        wishes_for_weight(own.moment, own.x, own.y[:3], Weight(0, 0, 0))


@settings(deadline=None, max_examples=60)
@given(problems(HIDDEN), st.floats(-2, 2), st.data())
def test_a_nudged_weight_gives_the_losses_of_a_network_that_has_it(own, amount, data):
    place = data.draw(st.integers(0, own.network.params.size - 1))
    trace = own.network.forward(own.x)
    found = nudged_losses(own.network, trace, own.y, own.loss, own.weights()[place], amount)
    close(found, own.losses(own.moved({place: amount})), 1e-9)  # exponential outputs make losses of 1e4


@pytest.mark.parametrize("name", sorted(unusual()))
def test_a_nudged_weight_of_networks_that_are_not_plain(name):
    own = unusual()[name]
    trace = own.network.forward(own.x)
    for place, weight in enumerate(own.weights()):
        found = nudged_losses(own.network, trace, own.y, own.loss, weight, 0.3)
        close(found, own.losses(own.moved({place: 0.3})))


@settings(deadline=None, max_examples=30)
@given(problems(), st.integers(1, 4))
def test_losses_and_gradient_of_all_examples(own, copies):
    x, y = np.tile(own.x, (copies, 1)), np.tile(own.y, (copies, 1))
    examples = check_examples(own.moment, x, y)
    losses, gradient = full_gradient(own.network, own.loss, examples)
    close(losses, np.tile(own.losses(), copies))
    close(all_losses(own.network, own.loss, examples), losses)
    close(gradient, own.gradients().mean(axis=0))


# one example's own step ----------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=30)
@given(problems(), st.data())
def test_the_overfitting_step_is_measured(own, data):
    one = data.draw(st.integers(0, len(own.x) - 1))
    step = overfitting_step(own.moment, own.x, own.y, one, 0.01)
    gradient = own.gradients()[one]
    stepped = own.moved(-0.01 * gradient)
    close(step.before, own.losses())
    close(step.after, own.losses(stepped), 1e-9)
    change = step.after - step.before
    others = np.delete(change, one)
    assert (step.own.number, step.own.before, step.own.after) == (one, step.before[one], step.after[one])
    assert (step.better, step.worse, step.same) == ((others < 0).sum(), (others > 0).sum(), (others == 0).sum())
    close(step.predicted, -0.01 * (gradient**2).sum())
    adds_up(step.parts, 1e-9)
    close(step.parts.whole, own.cost(stepped) - own.cost(), 1e-9)
    if len(others):
        close(step.others, others.mean())
    else:
        assert step.others is None
    is_plain(step)


def test_whom_the_step_helps_and_hurts():
    own = problem("activation tanh", n=50)
    step = overfitting_step(own.moment, own.x, own.y, 7, 0.5, [f"row {n}" for n in range(50)])
    change = step.after - step.before
    order = [n for n in np.argsort(change) if n != 7]
    assert [entry.number for entry in step.helped] == order[:8]
    assert [entry.number for entry in step.hurt] == order[::-1][:8]
    for entry in (*step.helped, *step.hurt):
        assert entry.number is not None
        assert entry.name == f"row {entry.number}"
        assert (entry.before, entry.after) == (step.before[entry.number], step.after[entry.number])
    assert [part.name for part in step.parts.parts] == ["its own change", "those who get better", "those who get worse"]


def test_a_small_step_changes_the_own_loss_as_foretold():
    own = problem("activation tanh")
    step = overfitting_step(own.moment, own.x, own.y, 2, 1e-5)
    assert abs((step.own.after - step.own.before) / step.predicted - 1) < 1e-3


def test_the_step_of_an_example_that_is_not_among_the_others():
    own = problem("activation tanh")
    among = overfitting_step(own.moment, own.x, own.y, 4, 0.1)
    apart = overfitting_step(own.moment, np.delete(own.x, 4, 0), np.delete(own.y, 4, 0), own.example(4), 0.1)
    close(apart.after, np.delete(among.after, 4))
    close([apart.own.before, apart.own.after], [among.own.before, among.own.after])
    assert (apart.better, apart.worse, apart.own.number) == (among.better, among.worse, None)
    assert among.others is not None
    close(apart.others, among.others)
    assert [part.name for part in apart.parts.parts] == ["those who get better", "those who get worse"]
    adds_up(apart.parts)
    is_plain(apart)


@pytest.mark.parametrize(
    ("one", "lr", "message"),
    [
        (9, 0.1, "example 9 was asked for; there are examples 0 to 8"),
        (-1, 0.1, "the example's number is -1; it must be a whole number of at least 0"),
        (0, 0.0, "lr is 0, so that no step would be taken"),
        (0, -0.1, r"lr is -0.1; it must be a finite number of at least 0"),
        (0, float("nan"), "lr is nan"),
    ],
)
def test_steps_that_cannot_be_taken_are_refused(one, lr, message):
    own = problem("dense")
    with pytest.raises(InputError, match=message):
        overfitting_step(own.moment, own.x, own.y, one, lr)


# mini-batches --------------------------------------------------------------------------------------------------------


def test_the_agreement_of_mini_batches_by_its_definition():
    own = problem("activation tanh", n=40)
    told = batch_agreement(own.moment, own.x, own.y, sizes=[4, 1, 16, 40, 1000], repeats=3, seed=5)
    gradients = own.gradients()
    full = gradients.mean(axis=0)
    assert [entry.size for entry in told.sizes] == [1, 4, 16, 40]
    close(told.norm, np.linalg.norm(full))
    for place, entry in enumerate(told.sizes[:-1]):
        drawn = [permutation(5, Purpose.CHECKING, 40, place=(place, r))[: entry.size] for r in range(3)]
        means = [gradients[rows].mean(axis=0) for rows in drawn]
        lengths = np.array([np.linalg.norm(mean) for mean in means])
        cosines = np.array([mean @ full for mean in means]) / (lengths * np.linalg.norm(full))
        close([entry.cosine, entry.spread, entry.least], [cosines.mean(), cosines.std(), cosines.min()])
        close(entry.length, lengths.mean() / np.linalg.norm(full))
        assert entry.drawn == 3
        assert entry.seconds > 0
    last = told.sizes[-1]
    close([last.cosine, last.spread, last.length], [1.0, 0.0, 1.0])
    is_plain(told)


def test_the_seed_says_which_batches_are_drawn():
    own = problem("activation tanh", n=40)
    first, again, other = (
        batch_agreement(own.moment, own.x, own.y, sizes=[4], seed=seed).sizes[0].cosine for seed in (1, 1, 2)
    )
    assert first == again != other


def test_where_nothing_is_wished_the_cosine_is_0():
    own = problem("activation tanh", "identity", "squared")
    own.network.layers[-2].W[...] = 0  # type: ignore[union-attr] # so that every engine predicts the biases exactly
    right = Problem(own.network, "squared", own.x, own.network.predict(own.x))
    told = batch_agreement(right.moment, right.x, right.y, sizes=[2])
    assert [(entry.cosine, entry.length) for entry in told.sizes] == [(0.0, 0.0), (0.0, 0.0)]
    is_plain(told)


def test_the_agreement_in_float32_is_nearly_the_same():
    own = problem("activation tanh", n=40)
    exact, fast = (batch_agreement(own.moment, own.x, own.y, precision=p) for p in ("float64", "float32"))
    close([e.cosine for e in fast.sizes], [e.cosine for e in exact.sizes], 1e-5)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sizes": []}, "sizes is empty; give at least one size of batch"),
        ({"sizes": [0]}, "a batch size is 0; it must be a whole number of at least 1"),
        ({"repeats": 0}, "repeats is 0"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_batches_that_cannot_be_drawn_are_refused(wrong, message):
    own = problem("dense")
    with pytest.raises(InputError, match=message):
        batch_agreement(own.moment, own.x, own.y, **wrong)
