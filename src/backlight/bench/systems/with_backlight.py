"""Backlight's own engine: a session that is asked to advance, as the training loop asks it."""

from backlight.arrays import Floats
from backlight.bench.systems.learner import Job, Learner
from backlight.engine import Examples, Session, Stretch, Task, compile_program, engine_name, open_session, row_source
from backlight.network import Network
from backlight.training import SGD


class BacklightLearner:
    """A session of the engine that `auto` stands for.

    Args:
        job: what to learn.
        record_examples: whether each step tells every example's loss and gradient norm.
    """

    def __init__(self, job: Job, *, record_examples: bool = False) -> None:
        self._workload, self._order = job.workload, job.order
        self._network = job.workload.network()
        self._untrained = self._network.params.copy()
        self._session = session_for(job, self._network, record_examples=record_examples)
        self._steps_per_epoch = len(self._order) // job.workload.batch_size
        self._step = 0
        self.form = f"engine {engine_name('auto')}"

    def restart(self) -> None:
        """Back to the untrained network."""
        self._network.params[...] = self._untrained
        self._step = 0

    def advance(self, steps: int) -> None:
        """Take steps, as many at once as the epoch has left."""
        end, workload = self._step + steps, self._workload
        while self._step < end:
            epoch, first = divmod(self._step, self._steps_per_epoch)
            count = min(end - self._step, self._steps_per_epoch - first)
            stretch = Stretch(self._order, workload.batch_size, first, count, epoch, self._step, workload.lr)
            if not self._session.advance(stretch).finite:
                raise ArithmeticError("the objective is not finite")
            self._step += count

    def params(self) -> Floats:
        """The network's own."""
        return self._network.params


def session_for(job: Job, network: Network, *, record_examples: bool = False) -> Session:
    """A session of the engine that `auto` stands for."""
    task = Task(
        compile_program(network, job.workload.loss),
        network.params,
        Examples(row_source(job.x), job.y),
        SGD(),
        batch_size=job.workload.batch_size,
        seed=0,
        threads=job.threads,
        record_examples=record_examples,
    )
    return open_session("auto", task)


def learner(job: Job) -> Learner:
    """Backlight at work on a job."""
    return BacklightLearner(job)
