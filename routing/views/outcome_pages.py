"""The page of outcomes: what became of those that came in, and imports from files."""

from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe
from redis.exceptions import RedisError

from controlplane.models import Right
from controlplane.problems.request_limits import LARGEST_BODY
from controlplane.storage.redis_connections import glance_at_redis
from controlplane.web.pages import acting, done, page, requires
from routing.importing.receive import KINDS, receive_part, register_import
from routing.intake.belonging import last_belonging
from routing.intake.fates import Fate, read_counts
from routing.models import EventImport

DAYS = 7
MOST_IMPORTS = 20
MOST_PROBLEMS = 5
WORDS = {
    Fate.ON_TIME: "On time",
    Fate.AHEAD: "Ahead",
    Fate.LATE: "Late",
    Fate.OUT_OF_ORDER: "Out of order",
    Fate.DUPLICATE: "Duplicate",
    Fate.ERASED: "Erased",
    Fate.REFUSED_AHEAD: "Refused: ahead",
    Fate.REFUSED_OLD: "Refused: no clock",
    Fate.REFUSED: "Refused: other",
}


class ImportForm(forms.Form):
    """A file of outcomes."""

    file = forms.FileField(
        help_text="CSV, JSON lines or Parquet, with some of the columns id, name, value, unit, request_id, time and "
        "properties. The same file again counts once.",
        widget=forms.FileInput(attrs={"accept": ",".join(KINDS)}),
    )


@require_safe
def outcome_list(request: HttpRequest) -> HttpResponse:
    """Outcomes by day and what became of them, and imports. A background refresh gets the imports alone."""
    context = {"imports": _imports(), "most_problems": f":{MOST_PROBLEMS}"}
    if request.headers.get("HX-Request"):
        return page(request, "routing/imports_table.html", context)
    return page(request, "routing/outcomes.html", {**context, **_counts(), "form": ImportForm()})


@require_POST
@requires(Right.EVENTS)
def outcome_import(request: HttpRequest) -> HttpResponse:
    """Import a file that fits into one request; larger ones come by the API, which the page's script does."""
    form = ImportForm(request.POST, request.FILES)
    if not form.is_valid():
        return page(request, "routing/outcomes.html", {"imports": _imports(), **_counts(), "form": form}, status=400)
    file: UploadedFile[bytes] = form.cleaned_data["file"]
    done(request, lambda: _receive(request, file), f"{file.name} is here; its rows are taken now.")
    return redirect("outcome-list")


def _receive(request: HttpRequest, file: "UploadedFile[bytes]") -> None:
    actor = acting(request)
    found = register_import(file.name or "", file.size or 0, actor=actor)
    receive_part(found, 0, file.read(LARGEST_BODY), actor=actor)


def _imports() -> QuerySet[EventImport]:
    return EventImport.objects.all()[:MOST_IMPORTS]


def _counts() -> dict[str, Any]:
    """What became of outcomes; nothing where Redis does not answer."""
    redis = glance_at_redis()
    try:
        counted, belonging = read_counts(redis, DAYS, timezone.now()), last_belonging(redis)
    except RedisError:
        return {"away": True}
    days = [(each.day, [(word, each.counts[fate]) for fate, word in WORDS.items()]) for each in counted]
    return {"fates": list(WORDS.values()), "days": days, "belonging": belonging}
