"""What a network learns from: built-in sets, tables and arrays, split and made ready; and new data to predict."""

from backlight.data.catalog import BUILTIN, Entry
from backlight.data.class_weights import with_class_weights
from backlight.data.dataset import PARTS, Dataset, Source
from backlight.data.images.options import ImageOptions
from backlight.data.inputs import ArrayInputs, ImageInputs, Inputs, inputs_from_dict
from backlight.data.loading import load
from backlight.data.reading import read_rows
from backlight.data.tables.inputs import TableInputs
from backlight.data.tables.new_rows import Rows
from backlight.data.tables.options import TableOptions
from backlight.data.targets import (
    Classes,
    Labels,
    Quantities,
    Reconstruction,
    SeveralClasses,
    Target,
    target_from_dict,
)

__all__ = [
    "BUILTIN",
    "PARTS",
    "ArrayInputs",
    "Classes",
    "Dataset",
    "Entry",
    "ImageInputs",
    "ImageOptions",
    "Inputs",
    "Labels",
    "Quantities",
    "Reconstruction",
    "Rows",
    "SeveralClasses",
    "Source",
    "TableInputs",
    "TableOptions",
    "Target",
    "inputs_from_dict",
    "load",
    "read_rows",
    "target_from_dict",
    "with_class_weights",
]
