"""Impossible options: refused before anything is loaded or written."""

import shlex
from pathlib import Path

import pytest

from backlight.files import run as run_module
from tests.cli.terminal import backlight, refused_in_one_line

WITHOUT_DATA = {
    "--layers 0": "--layers is '0'; write the units of each hidden layer, such as 128,64",
    "--layers abc": "--layers is 'abc'",
    "--layers -3": "--layers is '-3'",
    "--layers 16,,16": "--layers is '16,,16'",
    "--layers ''": "--layers is ''",
    "--batch-size 0": "--batch-size is '0'; write a whole number above 0, or full",
    "--batch-size x": "--batch-size is 'x'",
    "--batch-size -1": "--batch-size is '-1'",
    "--batch-size 2.5": "--batch-size is '2.5'",
    "--batch-size ²": "--batch-size is '²'",
    "--epochs 0": "epochs is 0; it must be a whole number of at least 1",
    "--epochs -1": "epochs is -1; it must be",
    "--lr 0": "lr is 0, so that nothing would be learnt; give a number above 0",
    "--lr -1": "lr is -1.0;",
    "--lr nan": "lr is nan;",
    "--lr inf": "lr is inf;",
    "--lr fast": "--lr is 'fast'; write a number above 0, or auto",
    "--method one-wight": "there is no method 'one-wight'; did you mean 'one-weight'?",
    "--method random --optimizer adam": "--optimizer turns gradients into steps, and --method random takes none",
    "--method backpropagation --optimizer random": "--optimizer random takes no gradients, and --method",
    "--method random=0": "the reach of random is 0; it must be a finite number above 0",
    "--lr auto --optimizer lbfgs": "lbfgs finds the length of every step by itself; leave out lr",
    "--optimizer lbfgs --batch-size 50": "lbfgs takes all examples at each step, and batch_size is 50; leave it out",
    "--optimizer lbfgs --dropout 0.1": "lbfgs needs the same objective at every step, and dropout draws another",
    "--optimizer lbfgs --schedule cosine": "lbfgs has no learning rate that a schedule could change; leave it out",
    "--optimizer lbfgs --weight-decay 0.1": "lbfgs has no learning rate by which weights could decay; take the penalty",
    "--optimizer lbfgs --momentum 0.5": "momentum is a setting of --optimizer momentum and nesterov, and the",
    "--schedule cosin": "there is no schedule 'cosin'; did you mean 'cosine'?",
    "--schedule plateau": "the schedule 'plateau' cannot be read; write plateau=5:0.1",
    "--schedule warmup=5,cosine --epochs 5": "the warm-up takes 5 epochs, and there are 5",
    "--momentum 0.5": "momentum is a setting of --optimizer momentum and nesterov, and the optimizer is adam",
    "--optimizer sgd --momentum 0.5": "momentum is a setting of --optimizer momentum and nesterov, and",
    "--classic --momentum 0.5": "momentum is a setting of --optimizer momentum and nesterov, and the optimizer is sgd",
    "--optimizer momentum --momentum 1": "momentum is 1.0; it must be a finite number of at least 0 and below 1",
    "--optimizer momentum --momentum nan": "momentum is nan;",
    "--weight-decay -1": "weight_decay is -1.0; it must be a finite number of at least 0",
    "--weight-decay nan": "weight_decay is nan;",
    "--weight-decay inf": "weight_decay is inf;",
    "--l1 -1": "l1 is -1.0; it must be a finite number of at least 0",
    "--l2 nan": "l2 is nan;",
    "--clip 0": "clip is 0, so that nothing would be learnt; give a length above 0",
    "--clip-examples -1": "clip_examples is -1.0; it must be a finite number of at least 0",
    "--average 1": "average is 1.0; it must be a finite number of at least 0 and below 1",
    "--label-smoothing 1": "label_smoothing is 1.0; it must be a finite number of at least 0 and below 1",
    "--classic --label-smoothing 0.1": "label_smoothing is for classes learnt with the loss cross_entropy",
    "--accumulate 0": "accumulate is 0; it must be a whole number of at least 1",
    "--accumulate 2 --batch-size full": "accumulate adds up batches, and a full batch has all examples",
    "--norm x": "there is no normalisation 'x'; there are 'batch', 'layer'",
    "--norm Batch": "there is no normalisation 'Batch'; did you mean 'batch'?",
    "--norm batch --layers none": "--norm batch normalises hidden units, and --layers none has none; leave it out",
    "--norm batch --batch-size 1": "batch normalisation needs at least 2 examples per step, and there is 1;",
    "--norm batch --clip-examples 1": "examples cannot be clipped one by one while batch normalisation makes",
    "--norm layer --layers 8,1": "layer normalisation of 1 unit gives every example the same;",
    "--dropout 1": "the dropout rate is 1.0; it must be a finite number of at least 0 and below 1",
    "--dropout -0.1": "the dropout rate is -0.1;",
    "--dropout nan": "the dropout rate is nan;",
    "--patience 0": "patience is 0; at least 1 epoch is needed",
    "--until rubbish": "the condition 'rubbish' cannot be read; write a metric, a sign and a number, such as",
    "--until loss=3": "the condition 'loss=3' cannot be read",
    "--until 'loss<nan'": "the condition 'loss<nan' cannot be read",
    "--until 'loss<1e'": "the condition 'loss<1e' cannot be read",
    "--until 'loss<0.1' --until 'acuracy>1'": "there is no metric 'acuracy'; did you mean 'accuracy'?",
    "--seed -1": "seed is -1; it must be a whole number of at least 0",
    "--seed 18446744073709551616": "seed is 18446744073709551616;",
    "--threads 0": "threads is 0; it must be a whole number of at least 1",
    "--engine x": "there is no engine 'x'; there are 'auto', 'native', 'reference'",
    "--activation x": "there is no activation 'x'; there are",
    "--activation ReLU": "there is no activation 'ReLU'; did you mean 'relu'?",
    "--activation softmax": "softmax, which may only be the last layer",
    "--output x": "there is no activation 'x'; there are",
    "--loss x": "there is no loss 'x'; there are 'squared', 'cross_entropy'",
    "--loss cross_entropy --output relu": "the loss cross_entropy needs outputs that are probabilities, and relu gives",
    "--loss poisson --output softmax": "the loss poisson needs rates, and softmax gives probabilities that sum to 1",
    "--loss poisson --output identity": "the loss poisson needs outputs above 0, and identity gives any number",
    "--init x": "there is no initializer 'x'; there are",
    "--init he": "there is no initializer 'he'; there are",
    "--optimizer Adm": "there is no optimizer 'Adm'; did you mean 'adam'?",
}

WHEN_LOADED = {
    "--validation 1.2": "validation is 1.2; it must be a fraction of the rows from 0 to 0.9",
    "--validation nan": "validation is nan;",
    "--test -1": "test is -1.0;",
    "--validation 0.6 --test 0.5": "together leave nothing to learn from",
    "--patience 3 --validation 0": "patience needs a validation part, and there is none; give --validation 0.15",
    "--until 'r2>0.5'": "asks for r2, which is not measured here; there are loss, accuracy, macro_f1",
    "--loss poisson": "the loss poisson is for counts, and the target has classes; choose cross_entropy",
    "--task x": "there is no task 'x'; there are 'classification', 'regression'",
    "--task regression": "moons has classes, so its task is classification; leave out the task",
    "--target x": "moons has no columns to choose from; leave out the target 'x'",
}


OPTIONS = {
    "the data": ["--target", "--task", "--validation", "--test"],
    "the network": ["--layers", "--activation", "--output", "--loss", "--init", "--norm", "--dropout"],
    "the training": ["--optimizer", "--lr", "--momentum", "--weight-decay", "--batch-size", "--epochs", "--until"],
    "and its steps": ["--l1", "--l2", "--clip", "--clip-examples", "--average", "--label-smoothing", "--accumulate"],
    "and its end": ["--patience", "--seed", "--threads", "--engine", "--classic"],
    "the run": ["--out", "--force", "--resume", "--json"],
}


@pytest.mark.parametrize("options", WITHOUT_DATA)
def test_an_impossible_option_is_refused_before_the_data_are_looked_at(options, monkeypatch):
    def load(*_: object, **__: object) -> None:
        raise AssertionError("the data were loaded first")

    monkeypatch.setattr(run_module, "load_as", load)
    refused_in_one_line(WITHOUT_DATA[options], "train", "moons", *shlex.split(options))


@pytest.mark.parametrize("options", WHEN_LOADED)
def test_an_option_that_does_not_suit_the_data_is_refused(options):
    refused_in_one_line(WHEN_LOADED[options], "train", "moons", *shlex.split(options))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--target kind --loss poisson", "the loss poisson is for counts, and the target has classes"),
        ("--target size --loss cross_entropy", "the loss cross_entropy is for classes, and 'size' is a quantity"),
        ("--target size --output softmax", "the loss cross_entropy is for classes, and 'size' is a quantity"),
        ("--target size --loss poisson", "poisson is for counts of 0 or more, and 'size' goes from -5 to"),
        ("--target size --output relu", "the output relu gives no numbers below 0, and 'size' goes from -5 to"),
        ("--target size --output sigmoid", "the output sigmoid gives numbers from 0 to 1, and 'size' goes from"),
        ("--target size --output tanh", "the output tanh gives numbers from -1 to 1, and 'size' goes from"),
        ("--target size --until accuracy>0.5", "asks for accuracy, which is not measured here; there are loss, rmse"),
        ("--target size --task classification", "60 different values in 60 rows, too many for classes"),
        (
            "--target size --label-smoothing 0.1",
            "label_smoothing is for classes learnt with the loss cross_entropy, and",
        ),
        ("--target kind --task regression", "table.csv, line 2, column 'kind': 'red' is text where a number is"),
    ],
)
def test_an_option_that_does_not_suit_the_target_is_refused(options, message):
    from tests.cli.terminal import write_table

    write_table(Path("table.csv"), offset=-5.0)
    refused_in_one_line(message, "train", "table.csv", *shlex.split(options))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("train moons --epochs 1.5", "'--epochs'"),
        ("train moons --epochs", "'--epochs' requires an argument"),
        ("train moons --lr x", "--lr is 'x'"),
        ("train moons --seed x", "'--seed'"),
        ("train moons --validation half", "'--validation'"),
        ("train moons --epoch 3", "--epoch"),
        ("train moons circles", "circles"),
        ("trian moons", "trian"),
        ("evaluate", "run"),
        ("predict done", "what"),
    ],
)
def test_what_is_no_command_of_ours_is_refused(arguments, message):
    result = backlight(*arguments.split())
    assert result.code == 2
    assert result.out == ""
    assert message.casefold() in result.err.casefold()
    assert "Traceback" not in result.err
    assert not Path("runs").exists()


def test_train_without_data_says_what_it_could_be_given():
    words = "which data? give a built-in name such as digits, a .csv, .parquet or .npz file, or a folder"
    refused_in_one_line(words, "train")


@pytest.mark.parametrize("more", ["moons", "--epochs 3", "--classic", "--out x", "--force"])
def test_resume_takes_no_other_option(more, run):
    refused_in_one_line("give no data and no other options", "train", *more.split(), "--resume", run)


def test_more_memory_than_there_is_ends_in_a_sentence():
    result = backlight("train", "moons", "--layers", "1000000000,1000000000")
    assert result.code == 1
    assert "there is not enough memory" in result.err
    assert "--layers" in result.err
    assert not Path("runs").exists()


def test_the_version_is_told():
    assert backlight("--version").out.startswith("backlight ")


def test_help_names_every_option_with_its_default():
    text = " ".join(backlight("train", "--help").out.split())
    for options in OPTIONS.values():
        assert all(f"{option} " in text for option in options)
    assert "pytest" not in text  # the program that runs
    assert "128,64" in text
