import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backlight.errors import InputError
from backlight.randomness import PhiloxBlock, Purpose, normals, permutation, stream_key, uniforms

KNOWN_ANSWERS = [  # counter, key, words: kat_vectors of the authors' Random123
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]
seeds = st.integers(0, 2**64 - 1)
purposes = st.sampled_from(Purpose)
quick = settings(deadline=None, max_examples=50)


def numbers(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


@pytest.mark.parametrize(("counter", "key", "words"), KNOWN_ANSWERS)
def test_known_answers(counter, key, words):
    k0, k1 = numbers(key)
    drawn = PhiloxBlock((1,)).draw((k0, k1), *numbers(counter))
    assert [int(word[0]) for word in drawn] == numbers(words)


def test_known_answers_in_one_block():
    """The counters broadcast: four words of every row, each in its place."""
    c = [np.array(column, np.uint64) for column in zip(*(numbers(c) for c, _, _ in KNOWN_ANSWERS), strict=True)]
    drawn = PhiloxBlock((3,)).draw((0, 0), *c)
    assert [int(word[0]) for word in drawn] == numbers(KNOWN_ANSWERS[0][2])
    for row in range(3):
        single = PhiloxBlock((1,)).draw((0, 0), *(int(word[row]) for word in c))
        assert [int(word[row]) for word in drawn] == [int(word[0]) for word in single]


@quick
@given(seeds, st.integers(1, 9), st.integers(1, 9))
def test_drawing_fewer_rows_gives_the_same_rows(seed, rows, columns):
    key = stream_key(seed, Purpose.DROPOUT)
    block, column = PhiloxBlock((9, columns)), np.arange(columns, dtype=np.uint64)
    row = np.arange(9, dtype=np.uint64)[:, None]
    full = np.array(block.draw(key, row, 5, 6, column))
    part = np.array(block.draw(key, row[:rows], 5, 6, column))
    assert np.array_equal(part, full[:, :rows])


@quick
@given(seeds, purposes, st.integers(0, 40), st.integers(0, 40))
def test_a_draw_depends_on_its_place_alone(seed, purpose, few, more):
    for draw in (uniforms, normals):
        longer = draw(seed, purpose, few + more, place=(3, 4))
        assert np.array_equal(longer[:few], draw(seed, purpose, few, place=(3, 4)))
        assert longer.shape == (few + more,)


def test_each_seed_purpose_and_place_has_draws_of_its_own():
    settings_ = itertools.product([0, 1, 2**32, 2**64 - 1], Purpose, [(0, 0), (0, 1), (1, 0)])
    drawn = [uniforms(seed, purpose, 8, place=place) for seed, purpose, place in settings_]
    assert len(np.unique(np.concatenate(drawn))) == 8 * len(drawn)


def test_keys_differ_in_seed_and_purpose():
    keys = {stream_key(seed, purpose) for seed in range(200) for purpose in Purpose}
    assert len(keys) == 200 * len(Purpose)


@pytest.mark.parametrize("seed", [-1, 2**64])
def test_an_impossible_seed_is_refused(seed):
    with pytest.raises(InputError, match=f"seed is {seed}; it must be"):
        stream_key(seed, Purpose.SHUFFLING)


def test_uniforms_fill_the_open_interval_evenly():
    u = np.sort(uniforms(5, Purpose.GENERATION, 100_000))
    assert u[0] > 0
    assert u[-1] < 1
    # Kolmogorov-Smirnov: a distance above 1.95 / sqrt(n) has a chance of 0.1 %, and the seed is fixed
    assert np.abs(u - (np.arange(len(u)) + 0.5) / len(u)).max() < 1.95 / np.sqrt(len(u))


def test_uniforms_use_all_52_bits():
    cells = (uniforms(5, Purpose.GENERATION, 4000) * 2.0**52 - 0.5).astype(np.uint64)
    for bit in range(52):
        ones = ((cells >> np.uint64(bit)) & np.uint64(1)).mean()
        assert abs(ones - 0.5) < 5 * 0.5 / np.sqrt(4000), f"bit {bit}"  # five standard errors


def test_normals_have_the_moments_of_the_normal_distribution():
    z = normals(6, Purpose.GENERATION, 200_001)
    for power, moment, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        assert abs((z**power).mean() - moment) < 5 * np.sqrt(variance / len(z))  # five standard errors
    assert abs((z[:-1:2] * z[1::2]).mean()) < 5 / np.sqrt(len(z) / 2)  # the two of a pair are uncorrelated


@quick
@given(seeds, purposes, st.integers(0, 300))
def test_permutation_is_a_permutation(seed, purpose, count):
    order = permutation(seed, purpose, count, place=(1, 2))
    assert sorted(order.tolist()) == list(range(count))


def test_permutations_are_drawn_anew_for_each_epoch_and_evenly():
    orders = np.array([permutation(0, Purpose.SHUFFLING, 4, place=(epoch, 0)) for epoch in range(6000)])
    _, counts = np.unique(orders, axis=0, return_counts=True)
    assert len(counts) == 24
    # chi-squared with 23 degrees of freedom is above 49.7 with a chance of 0.1 %, and the seed is fixed
    assert ((counts - 250) ** 2 / 250).sum() < 49.7
