"""The audit trail."""

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from controlplane.models import AuditEvent
from controlplane.web.pages import page

EVENTS_A_PAGE = 50


class AuditFilter(forms.Form):
    """Which events to show; each part narrows the list."""

    actor = forms.CharField(required=False, max_length=150)
    verb = forms.CharField(required=False, max_length=40)
    object_type = forms.CharField(required=False, max_length=40, label="Kind of object")
    object_key = forms.CharField(required=False, max_length=100, label="Key of the object")

    def lookups(self) -> dict[str, str]:
        """The filled fields as lookups."""
        names = {"actor": "actor", "verb": "verb", "object_type": "object_type", "object_key": "object_key__contains"}
        filled = self.cleaned_data if self.is_valid() else {}
        return {lookup: filled[name].strip() for name, lookup in names.items() if filled.get(name, "").strip()}


@require_safe
def audit_list(request: HttpRequest) -> HttpResponse:
    """Every change, newest first."""
    form = AuditFilter(request.GET)
    events = AuditEvent.objects.filter(**form.lookups())
    query = request.GET.copy()
    query.pop("page", None)
    context = {
        "form": form,
        "page": Paginator(events, EVENTS_A_PAGE).get_page(request.GET.get("page")),
        "query": f"{query.urlencode()}&" if query else "",
        "filtered": bool(form.lookups()),
    }
    return page(request, "controlplane/audit.html", context)
