"""The workloads, and the arithmetic of a step."""

import numpy as np
import pytest

from backlight.bench.cost import square_workload
from backlight.bench.data import noise, shuffled
from backlight.bench.workloads import WORKLOADS, workloads_named
from backlight.errors import InputError
from backlight.network import Dense


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=WORKLOADS)
def test_operations_are_those_of_the_products_that_a_step_does(workload):
    network, n = workload.network(), workload.batch_size
    products = 0
    for index, layer in enumerate(network.layers):
        if isinstance(layer, Dense):
            forward = [(n, layer.incoming, layer.units)]
            weights = [(layer.units, n, layer.incoming)]
            incoming = [(n, layer.units, layer.incoming)] if index else []
            products += sum(2 * a * b * c for a, b, c in forward + weights + incoming)
    assert workload.flops_per_step == products


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=WORKLOADS)
def test_networks_are_trained_with_the_loss_that_the_page_names(workload):
    network = workload.network()
    assert network.objective().loss == workload.loss
    assert (network.inputs, network.outputs, network.dtype) == (784, 10, np.float32)


@pytest.mark.parametrize("count", [10**3, 10**4, 10**5, 10**6])
def test_square_networks_have_about_as_many_parameters_as_asked(count):
    assert square_workload(count).network().params.size == pytest.approx(count, rel=0.06)


def test_unknown_workloads_are_refused():
    with pytest.raises(InputError, match="no workload 'F'"):
        workloads_named("A,F")


def test_workloads_come_once_and_in_order():
    assert [workload.name for workload in workloads_named("e, A,e")] == ["E", "A"]


def test_the_order_has_whole_batches_and_no_row_twice():
    order = shuffled(1037, 100)
    assert len(order) == len(set(order.tolist())) == 1000


def test_noise_does_not_depend_on_how_it_is_cut():
    x = noise(12, chunk=5)
    assert x.shape == (12, 784)
    assert 0.17 < (x > 0).mean() < 0.23
    assert (x[:5] == noise(5, chunk=5)).all()
