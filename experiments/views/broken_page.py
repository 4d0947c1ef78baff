"""The page of an experiment whose rows make no sense: what is known of it, and the button that halts it."""

from collections.abc import Callable
from functools import wraps

import structlog
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError
from django.http import Http404, HttpRequest, HttpResponse

from controlplane.problems.errors import SluiceError
from controlplane.web.pages import page
from experiments.presenters.broken_rows import UNREADABLE, what_is_broken
from experiments.presenters.page_reads import find_experiment

View = Callable[[HttpRequest, str], HttpResponse]

log = structlog.get_logger(__name__)


def as_far_as_it_can_be_read(view: View) -> View:
    """Show a simpler page where the rows that the view needs are broken in any way."""

    @wraps(view)
    def shown(request: HttpRequest, key: str) -> HttpResponse:
        try:
            return view(request, key)
        except (Http404, PermissionDenied, DatabaseError, SluiceError):
            raise
        except Exception:
            log.exception("an experiment cannot be read", experiment=key)
            return _simpler(request, key)

    return shown


def _simpler(request: HttpRequest, key: str) -> HttpResponse:
    experiment = find_experiment(key)
    broken = what_is_broken(experiment) or UNREADABLE
    return page(request, "experiments/broken.html", {"experiment": experiment, "broken": broken})
