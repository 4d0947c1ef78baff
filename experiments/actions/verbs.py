"""What people do to an experiment by a button or a call that takes a reason alone. Page, API and log follow from it."""

from collections.abc import Callable
from dataclasses import dataclass

from controlplane.audit.actors import Actor
from controlplane.models import Right
from experiments.actions.halt import halt_by_hand
from experiments.actions.pause import pause
from experiments.actions.resume import resume
from experiments.actions.start import start
from experiments.lifecycle.transition import right_of
from experiments.models import Experiment, State
from routing.publishing.require_told import require_told


@dataclass(frozen=True, slots=True)
class ExperimentVerb:
    """One verb. `act` takes the experiment, who acts, and the reason.

    `name` is its place in addresses and in the audit trail, `past` its word in the log of an experiment whose decisions
    do not tell of it, `said` what the page says when it is done. The page has its button in the states `shown_in`, in a
    place of its own where it has none. A brake counts whatever state a request was meant for. Where a verb
    `is_confirmed` its answer waits for edges to say that they apply it, and names those that did not.
    """

    name: str
    act: Callable[[Experiment, Actor, str], None]
    about: str
    said: str
    label: str
    past: str = ""
    shown_in: tuple[State, ...] = ()
    leads: bool = False
    is_brake: bool = False
    is_confirmed: bool = False
    needs_reason: bool = False

    @property
    def right(self) -> Right:
        """Who may do it."""
        return right_of(self.name)

    @property
    def route(self) -> str:
        """The name of its address among the pages."""
        return f"experiment-{self.name}"


def _start(experiment: Experiment, actor: Actor, reason: str) -> None:
    start(experiment, actor=actor, reason=reason)


def _pause(experiment: Experiment, actor: Actor, reason: str) -> None:
    pause(experiment, actor=actor, reason=reason)


def _resume(experiment: Experiment, actor: Actor, reason: str) -> None:
    resume(experiment, actor=actor, reason=reason)


def _halt(experiment: Experiment, actor: Actor, reason: str) -> None:
    halt_by_hand(experiment, actor=actor, reason=reason)
    require_told()


START = ExperimentVerb(
    "start",
    _start,
    about="Freeze the plan and start.",
    said="Started. The plan is frozen, and edges apply the first stage within a second.",
    label="Start",
    past="Started",
    shown_in=(State.DRAFT,),
    leads=True,
)
PAUSE = ExperimentVerb(
    "pause",
    _pause,
    about="Keep traffic as it is, and decide nothing but a halt. It holds whatever changed meanwhile.",
    said="Paused. Traffic stays as it is, and guardrails are still watched.",
    label="Pause",
    past="Paused",
    shown_in=(State.RUNNING,),
    is_brake=True,
)
RESUME = ExperimentVerb(
    "resume",
    _resume,
    about="Go on after a pause.",
    said="Resumed.",
    label="Resume",
    past="Resumed",
    shown_in=(State.PAUSED,),
    leads=True,
)
HALT = ExperimentVerb(
    "halt",
    _halt,
    about="Give all users what they have by default; a reason is needed. It holds whatever changed meanwhile.",
    said="Halted. Users get again what they have by default, within a second.",
    label="Halt now",
    is_brake=True,
    is_confirmed=True,
    needs_reason=True,
)

VERBS = (START, PAUSE, RESUME, HALT)
