"""Write down what was done while the database could not be written, to experiments and else."""

from collections.abc import Mapping

from experiments.actions.pause import record_pause
from experiments.decide.types import Decision, DecisionKind
from experiments.lifecycle.end import end
from experiments.models import Experiment, State
from experiments.models.experiment import LIVE_STATES
from routing.kill_switch import record_orders as routing
from routing.publishing.waiting_orders import Order, Verb

ENDS = {Verb.HALT: State.HALTED, Verb.CONCLUDE: State.INCONCLUSIVE}


def record_orders() -> None:
    """Record what waits. Raises `redis.RedisError`, and `OperationalError` while the database is away."""
    routing.record_orders(RECORDERS)


def _end(order: Order) -> None:
    experiment = Experiment.objects.get(key=order.subject)
    decision = Decision(DecisionKind(order.verb.value), order.code, order.reason, order.variant)
    end(
        experiment,
        decision,
        state=ENDS[order.verb],
        allowed=LIVE_STATES,
        actor=order.by(),
        analysis=experiment.analyses.first(),
        at=order.at,
        brake=True,
    )


def _pause(order: Order) -> None:
    record_pause(Experiment.objects.get(key=order.subject), order)


RECORDERS: Mapping[Verb, routing.Recorder] = {
    **routing.OF_ROUTING,
    Verb.HALT: _end,
    Verb.CONCLUDE: _end,
    Verb.PAUSE: _pause,
}
