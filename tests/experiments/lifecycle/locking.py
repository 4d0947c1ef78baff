"""A halt while somebody else holds the database locked."""

import json
import threading

from tests.separate import set_up


def main() -> None:
    """Prints what the halt answered, what edges were told, and the state at the end."""
    set_up()
    from django.db import connection, transaction

    from controlplane.audit.actors import SLUICE
    from controlplane.problems.errors import SluiceError
    from controlplane.storage.redis_connections import get_redis
    from experiments.actions.halt import halt_by_hand
    from experiments.actions.start import start
    from experiments.loop.jobs import record_what_waits
    from experiments.models import Experiment
    from routing.models import Backend
    from routing.publishing import redis_table
    from routing.table import from_json
    from tests.factories.drafts import draft

    start(draft(), actor=SLUICE)
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Experiment.objects.select_for_update().get()
            Backend.objects.update(name="locked")
            locked.set()
            done.wait()
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    locked.wait()
    code = ""
    try:
        halt_by_hand(Experiment.objects.get(), actor=SLUICE, reason="looks wrong")
    except SluiceError as error:
        code = error.code
    told = from_json(redis_table.current_table(get_redis()).content)
    done.set()
    holder.join()
    record_what_waits()
    state = Experiment.objects.get().state
    running = [experiment.key for endpoint in told.endpoints for experiment in endpoint.experiments]
    print(json.dumps({"code": code, "running": running, "state": state}))


if __name__ == "__main__":
    main()
