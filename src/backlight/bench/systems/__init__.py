"""The systems that are measured, each in a process of its own."""

from backlight.bench.systems.learner import Job, Learner, seconds_for, steps_within
from backlight.bench.systems.registry import BACKLIGHT, PEAK, PEERS, System, open_learner

__all__ = ["BACKLIGHT", "PEAK", "PEERS", "Job", "Learner", "System", "open_learner", "seconds_for", "steps_within"]
