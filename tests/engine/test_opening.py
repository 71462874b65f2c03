import numpy as np
import pytest

from backlight.engine import Session, compile_program, engine_name, open_session, opening
from backlight.engine.opening import engine_build
from backlight.engine.program import NormOp
from backlight.engine.reference import ReferenceSession
from backlight.errors import InputError
from backlight.network import Activation, BatchNorm, Dense, Dropout, LayerNorm, Network
from tests import cases
from tests.engine.drawn import EVERY_ENGINE, compiled, problem


@pytest.mark.parametrize("layers", cases.LAYERS)
def test_a_program_says_what_the_network_does(layers):
    network = cases.network_of(layers, "softmax")
    program = compile_program(network)
    assert [op.layer for op in program.ops] == list(range(len(network.layers)))
    assert (program.inputs, program.outputs, program.size) == (5, 3, network.params.size)
    assert program.dtype == network.dtype
    assert (program.objective.output, program.objective.loss) == ("softmax", "cross_entropy")
    covered = np.zeros(program.size, int)
    for op, layer in zip(program.ops, network.layers, strict=True):
        if isinstance(op, NormOp):
            assert isinstance(layer, BatchNorm | LayerNorm)
            assert (op.units, op.eps, op.batches) == (layer.units, layer.eps, isinstance(layer, BatchNorm))
            places = (op.scale, op.shift, *(op.statistics if op.batches else ()))
            for array, place in zip(layer.tensors().values(), places, strict=True):
                assert np.array_equal(network.params[place], array)
                covered[place] += 1
            continue
        assert type(op).__name__ == f"{type(layer).__name__}Op"
        if isinstance(layer, Dense):
            assert (op.incoming, op.units) == (layer.incoming, layer.units)  # type: ignore[union-attr]
            assert np.shares_memory(network.params[op.W], layer.W)  # type: ignore[union-attr]
            assert np.array_equal(network.params[op.W].reshape(layer.W.shape), layer.W)  # type: ignore[union-attr]
            assert np.array_equal(network.params[op.b], layer.b)  # type: ignore[union-attr]
            covered[op.W] += 1  # type: ignore[union-attr]
            covered[op.b] += 1  # type: ignore[union-attr]
        else:
            assert {k: v for k, v in vars(op).items() if k in vars(layer)} == vars(layer)
    assert (covered == 1).all()
    weights = sum(network.params[place].size for place in program.weights)
    assert weights == sum(layer.W.size for _, layer, _ in network.dense_layers())


def test_units_pass_through_layers_without_parameters():
    program = compile_program(Network([Dense(2, 7), Dropout(0.5), Activation("relu"), Dense(7, 4), Dropout(0.1)]))
    assert [op.units for op in program.ops] == [7, 7, 7, 4, 4]


def test_a_loss_that_does_not_go_with_the_output_is_refused():
    with pytest.raises(InputError, match="needs outputs above 0"):
        compile_program(Network.mlp(2, 3, output="tanh"), "poisson")


@pytest.mark.parametrize("engine", ["auto", *cases.ENGINES])
def test_every_engine_opens_a_session(engine):
    p = problem()
    own = p.session()
    session: Session = open_session(engine, p.task(4, threads=1))
    assert engine_name(engine) in cases.ENGINES
    np.testing.assert_allclose(session.gradients(np.arange(4))[1], own.gradients(np.arange(4))[1], rtol=1e-10)


def test_an_unknown_engine_is_answered_with_the_nearest():
    with pytest.raises(InputError, match=r"there is no engine 'referense'; did you mean 'reference'\?"):
        engine_name("referense")
    with pytest.raises(InputError, match="there is no engine 'gpu'"):
        open_session("gpu", problem().task())


def test_a_build_says_what_its_bits_depend_on():
    native, reference = engine_build("native"), engine_build("reference")
    assert (native["name"], reference["name"]) == ("native", "reference")
    assert np.__version__ in reference["build"]
    assert native == {"name": "native", "build": compiled().build, "instruction_set": compiled().instruction_set}
    assert all(build["instruction_set"] for build in (native, reference))
    assert engine_build("auto") == native


def test_the_native_engine_is_the_one_to_be_had_where_there_is_one():
    assert engine_name() == engine_name("auto") == engine_name("native") == "native"


@pytest.fixture
def nothing_compiled(tmp_path, monkeypatch):
    monkeypatch.setenv("BACKLIGHT_LIBRARY_FOLDER", str(tmp_path))
    monkeypatch.delenv("BACKLIGHT_INSTRUCTION_SET", raising=False)
    opening._say_once.cache_clear()
    yield f"nothing is compiled in {tmp_path}"
    opening._say_once.cache_clear()


def test_without_a_compiled_engine_the_reference_does_the_work_and_says_so_once(nothing_compiled, capsys):
    for _ in range(2):
        assert isinstance(open_session("auto", problem().task()), ReferenceSession)
        assert engine_build("auto") == engine_build("reference")
    told = f"backlight: running the reference engine, which is slower: {nothing_compiled}\n"
    assert capsys.readouterr().err == told


def test_without_a_compiled_engine_the_native_one_is_refused(nothing_compiled):
    with pytest.raises(InputError, match=r"the native engine is not there: nothing is compiled in .*; choose the"):
        engine_name("native")


@EVERY_ENGINE
@pytest.mark.parametrize("threads", [0, -1])
def test_an_impossible_number_of_threads_is_refused(engine, threads):
    with pytest.raises(InputError, match=f"threads is {threads}; it must be a whole number of at least 1"):
        open_session(engine, problem().task(threads=threads))
