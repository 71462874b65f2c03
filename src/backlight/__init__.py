"""Train neural networks at full speed on a CPU, and see why every weight moved."""

__version__ = "0.1.0"
