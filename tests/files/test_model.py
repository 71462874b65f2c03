"""The model file: the network with the meaning of its inputs and outputs, and back again."""

import json
from pathlib import Path

import numpy as np
import pytest
import safetensors

from backlight.data import Classes, Labels, Quantities, SeveralClasses
from backlight.errors import InputError
from backlight.files import Model
from backlight.network import Network
from tests.files.made import settings, trained


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model") / "run"
    trained(folder, settings("penguins", layers=(6, 5), dropout=0.1))
    return folder / "model.safetensors"


def test_tensors_are_named_as_torch_names_them_and_metadata_is_one_json_string(path):
    with safetensors.safe_open(path, "numpy") as file:
        shapes = {name: file.get_tensor(name).shape for name in sorted(file.keys())}
        metadata = file.metadata()
    model = Model.load(path)
    width = model.inputs.width
    assert shapes == {
        "0.bias": (6,),
        "0.weight": (6, width),
        "3.bias": (5,),
        "3.weight": (5, 6),
        "6.bias": (3,),
        "6.weight": (3, 5),
    }
    assert list(metadata) == ["backlight"]
    content = json.loads(metadata["backlight"])
    assert list(content) == ["format", "layers", "loss", "data", "inputs", "target", "metrics"]
    assert content["target"]["names"] == ["Adelie", "Chinstrap", "Gentoo"]
    assert len(content["layers"]) == 8


def test_saved_and_loaded_a_model_says_the_same_to_the_last_bit(path, tmp_path):
    model = Model.load(path)
    model.save(tmp_path / "again.safetensors")
    again = Model.load(str(tmp_path / "again.safetensors"))
    x = np.random.default_rng(0).normal(size=(50, model.inputs.width)).astype(np.float32)
    np.testing.assert_array_equal(model.network.predict(x), again.network.predict(x))
    assert model.answers(x) == again.answers(x)
    assert again.inputs == model.inputs
    assert again.target == model.target
    assert again.metrics == model.metrics
    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_answers_are_classes_with_probabilities(path):
    model = Model.load(path)
    answer = model.answers(np.zeros((1, model.inputs.width), np.float32))[0]
    assert list(answer) == ["class", "confidence", "probabilities"]
    assert answer["class"] == max(answer["probabilities"], key=answer["probabilities"].__getitem__)
    assert answer["confidence"] == answer["probabilities"][answer["class"]]
    assert sum(answer["probabilities"].values()) == pytest.approx(1, abs=1e-6)  # three roundings in float32


def test_answers_are_labels_that_may_hold_together(path):
    inputs = Model.load(path).inputs
    network = Network.mlp(inputs.width, 2, output="logistic", seed=0)
    answer = Model(network, "cross_entropy", "made", inputs, Labels(("warm", "wet"))).answers(
        np.ones((1, inputs.width), np.float32)
    )[0]
    np.testing.assert_allclose(
        list(answer["labels"].values()), network.predict(np.ones((1, inputs.width), np.float32))[0], rtol=0
    )
    assert list(answer["labels"]) == ["warm", "wet"]


def test_answers_to_several_questions(path, tmp_path):
    inputs = Model.load(path).inputs
    target = SeveralClasses((Classes(("a", "b"), "first"), Classes(("x", "y", "z"), "second")))
    network = Network.mlp(inputs.width, 5, sizes=(2, 3), seed=0)
    x = np.random.default_rng(0).normal(size=(4, inputs.width)).astype(np.float32)
    Model(network, "cross_entropy", "made", inputs, target).save(tmp_path / "several.safetensors")
    model = Model.load(tmp_path / "several.safetensors")
    assert model.network.sizes == (2, 3)
    for answer, row in zip(model.answers(x), network.predict(x).astype(float), strict=True):
        assert answer["probabilities"] == {
            "first": dict(zip("ab", row[:2], strict=True)),
            "second": dict(zip("xyz", row[2:], strict=True)),
        }
        assert answer["classes"] == {"first": "ab"[row[:2].argmax()], "second": "xyz"[row[2:].argmax()]}
        assert answer["confidence"] == row[:2].max() * row[2:].max()
    metrics = model.measure(x, np.array([[0, 2], [1, 1], [0, 0], [1, 2]]))
    assert list(metrics["accuracies"]) == ["first", "second"]


def test_answers_are_quantities_in_their_own_units(path):
    inputs = Model.load(path).inputs
    network = Network.mlp(inputs.width, 1, seed=0)
    x = np.ones((2, inputs.width), np.float32)
    target = Quantities(("price",), (200.0,), (50.0,))
    answers = Model(network, "squared", "made", inputs, target).answers(x)
    expected = 200.0 + 50.0 * network.predict(x)[0, 0].astype(np.float64)
    assert [list(answer) for answer in answers] == [["price"]] * 2
    assert answers[0]["price"] == expected


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda content: content.update(format=2), "its format is 2, and this Backlight reads format 1"),
        (lambda content: content.pop("inputs"), "damaged model: .*'inputs'"),
        (lambda content: content.update(layers=[]), "model"),
        (lambda content: content.update(layers=5), "damaged model"),
        (lambda content: content["layers"][0].update(units=7), "model"),
        (lambda content: content["layers"][0].update(kind="convolution"), "model"),
        (lambda content: content.update(target={"kind": "classes"}), "the model's target is not described"),
        (lambda content: content.update(inputs={"kind": "sound"}), "the model's inputs are not described"),
    ],
)
def test_a_description_that_cannot_be_right_is_refused_with_the_file_s_name(change, message, path, tmp_path):
    from safetensors.numpy import load_file, save_file

    with safetensors.safe_open(path, "numpy") as file:
        content = json.loads(file.metadata()["backlight"])
    change(content)
    damaged = tmp_path / "damaged.safetensors"
    save_file(load_file(path), damaged, {"backlight": json.dumps(content)})
    with pytest.raises(InputError, match=rf"damaged\.safetensors.*{message}"):
        Model.load(damaged)


def test_no_file_and_no_model(tmp_path):
    with pytest.raises(InputError, match="there is no file"):
        Model.load(tmp_path / "nothing.safetensors")
    from safetensors.numpy import save_file

    save_file({"a": np.zeros(2)}, tmp_path / "foreign.safetensors")
    with pytest.raises(InputError, match="holds tensors, but it is not a model that Backlight wrote"):
        Model.load(tmp_path / "foreign.safetensors")
