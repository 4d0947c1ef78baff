"""What the tests of the loop begin with."""

import pytest

from controlplane.audit.actors import SLUICE
from experiments.actions.start import start
from experiments.models import Experiment
from tests.factories.drafts import draft


@pytest.fixture
def running() -> Experiment:
    experiment = draft()
    start(experiment, actor=SLUICE)
    return experiment
