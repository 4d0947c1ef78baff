"""Two who change routing at once: one removes a backend, the other begins to name it, or changes it."""

import json
import sys
import threading

from tests.separate import set_up

LONGEST_HOLD_SECONDS = 0.5
"""How long the first waits with its commit for the second, which has to wait for that."""


def main() -> None:
    """Let two act, each `name`, `edit` or `remove`; prints why they were refused, and which tiers name nothing then."""
    set_up()
    from django.db import connection

    from controlplane.audit.actors import SLUICE
    from controlplane.problems.errors import SluiceError
    from routing.models import Backend, Endpoint
    from routing.resources.changing import changing
    from routing.resources.edit import edit
    from routing.resources.remove import remove
    from tests.factories.drafts import backend, endpoint

    def name() -> None:
        chat = Endpoint.objects.get(key="chat")
        edit(chat, {"tiers": [{"key": "easy", "backend": "extra", "longest_bytes": 100}]}, actor=SLUICE)

    def change() -> None:
        edit(Backend.objects.get(key="extra"), {"name": "Changed"}, actor=SLUICE)

    def take_away() -> None:
        remove(Backend.objects.get(key="extra"), actor=SLUICE)

    acts = {"name": name, "edit": change, "remove": take_away}
    refused: list[str] = []

    def late() -> None:
        try:
            acts[sys.argv[2]]()
        except SluiceError as error:
            refused.append(f"{error.status} {error.code}")
        finally:
            connection.close()

    endpoint()
    backend("extra")
    thread = threading.Thread(target=late)
    with changing():
        acts[sys.argv[1]]()
        thread.start()
        thread.join(timeout=LONGEST_HOLD_SECONDS)
    thread.join()
    there = set(Backend.objects.values_list("key", flat=True))
    dangling = [tier["backend"] for tier in Endpoint.objects.get(key="chat").tiers if tier["backend"] not in there]
    print(json.dumps({"refused": refused, "dangling": dangling}))


if __name__ == "__main__":
    main()
