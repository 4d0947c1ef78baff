"""Tampering with the log of decisions is found, also by one who removed the database's guard."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection

from controlplane.audit.actors import SLUICE
from experiments.actions.halt import halt_by_hand
from experiments.actions.start import start
from experiments.models import Decision
from tests.factories.drafts import draft

pytestmark = pytest.mark.django_db


def verify() -> tuple[int, str]:
    output = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("verify_decisions", stdout=output, stderr=output)
    return int(str(ended.value.code)), output.getvalue()


def test_a_forged_reason_is_found() -> None:
    experiment = draft()
    start(experiment, actor=SLUICE)
    halt_by_hand(experiment, actor=SLUICE, reason="it looks wrong")
    assert verify() == (0, "1 experiments checked, 0 with a broken chain.\n")
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER experiments_decision_UPDATE_refused")
    Decision.objects.update(reason="it looked right")
    code, output = verify()
    assert code == 1
    assert "canary: the chain breaks at decision 1." in output
