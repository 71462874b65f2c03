"""scikit-learn: its own loop, `fit`, over as many whole batches as steps are asked for."""

import warnings
from importlib import import_module
from typing import Any

from backlight.bench.systems.learner import Job, Learner


class SklearnLearner:
    """`MLPClassifier` for cross-entropy; `MLPRegressor`, whose last layer is linear, for a squared error.

    It shuffles and gathers by itself, and begins with weights of its own. `partial_fit` checks its arguments at every
    batch and is slower.
    """

    def __init__(self, job: Job) -> None:
        self._task, self._targets = job, job.targets
        self._steps_per_epoch = len(job.order) // job.workload.batch_size
        self.form = "fit, warm_start"
        self.restart()

    def restart(self) -> None:
        """A new estimator."""
        networks: Any = import_module("sklearn.neural_network")
        workload = self._task.workload
        squared = workload.loss == "squared"
        self._estimator = (networks.MLPRegressor if squared else networks.MLPClassifier)(
            hidden_layer_sizes=workload.widths[1:-1],
            activation="logistic" if workload.hidden == "sigmoid" else workload.hidden,
            solver="sgd",
            alpha=0.0,
            batch_size=workload.batch_size,
            learning_rate="constant",
            learning_rate_init=workload.lr,
            momentum=0.0,
            nesterovs_momentum=False,
            max_iter=1,
            warm_start=True,
            random_state=0,
        )

    def advance(self, steps: int) -> None:
        """Fit to as many batches, an epoch at most at a time."""
        while steps > 0:
            rows = min(steps, self._steps_per_epoch) * self._task.workload.batch_size
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # one iteration does not converge
                self._estimator.fit(self._task.x[:rows], self._targets[:rows])
            steps -= self._steps_per_epoch

    def params(self) -> None:
        """It starts elsewhere and ends elsewhere."""


def learner(job: Job) -> Learner:
    """scikit-learn at work on a job."""
    return SklearnLearner(job)
