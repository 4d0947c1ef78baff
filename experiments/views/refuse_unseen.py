"""Who acts on a page acts on what it showed, or not at all."""

from django.http import HttpRequest

from controlplane.problems.errors import Outdated
from experiments.models import Experiment
from experiments.presenters.seen import seen, state_and_stage

LONGEST_WORDS = 60


def refuse_unseen(request: HttpRequest, experiment: Experiment) -> None:
    """Raise `Outdated` when the form stood on the page of the experiment as it was, and not as it is.

    What the form does compares the present one once more, as it writes.
    """
    present, version = seen(experiment), str(experiment.version)
    sent = request.POST.get("seen", present)
    if sent == present and request.POST.get("version", version) == version:
        return
    was, now = sent.partition("|")[0][:LONGEST_WORDS], state_and_stage(experiment)
    because = f": {experiment.state_reason}" if experiment.state_reason else "."
    raise Outdated(
        "outdated",
        f"Nothing is done: {experiment.key} or its endpoint was changed after you opened its page. It was {was} then, "
        f"and is {now} now{because}",
        next_step="Look at it as it is now, and decide anew.",
    )
