"""How gunicorn serves the web app, behind the front: `gunicorn --config deploy/gunicorn.py`."""

import os
import signal
from types import FrameType

from gunicorn.workers.base import Worker

wsgi_app = "controlplane.web.wsgi"
bind = f"unix:{os.environ['SLUICE_SOCKETS']}/web.sock"
threads = 8
worker_tmp_dir = os.environ["SLUICE_DATA_DIRECTORY"]
control_socket_disable = True

# The front keeps a connection for less, so that none is closed that a request is being sent on.
keepalive = 30

# What is too much is refused by the front, in Sluice's own words.
limit_request_line = 0
limit_request_fields = 200
limit_request_field_size = 65_536


def post_worker_init(worker: Worker) -> None:
    """Have whoever waits for a decision be answered when the server ends, so that it ends without delay."""
    from experiments.api.waiting import closing

    def leave(number: int, frame: FrameType | None) -> None:
        closing.set()
        worker.handle_exit(number, frame)

    signal.signal(signal.SIGTERM, leave)
