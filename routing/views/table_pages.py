"""Pages of routing tables."""

import difflib
import json

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from controlplane.web.pages import page
from routing.models import RoutingTable

TABLES_A_PAGE = 50
TONES = {"+": "added", "-": "removed"}


@require_safe
def routing_table_list(request: HttpRequest) -> HttpResponse:
    """Every published version, newest first."""
    tables = RoutingTable.objects.defer("content")
    shown = Paginator(tables, TABLES_A_PAGE).get_page(request.GET.get("page"))
    return page(request, "routing/tables.html", {"page": shown, "query": ""})


@require_safe
def routing_table_detail(request: HttpRequest, version: int) -> HttpResponse:
    """One version, and how it differs from the one before."""
    table = get_object_or_404(RoutingTable, version=version)
    previous = RoutingTable.objects.filter(version__lt=version).first()
    context = {
        "table": table,
        "previous": previous,
        "next": RoutingTable.objects.defer("content").filter(version__gt=version).last(),
        "content": _pretty(table),
        "changes": _changes(previous, table) if previous else [],
    }
    return page(request, "routing/table.html", context)


def _pretty(table: RoutingTable) -> str:
    return json.dumps(json.loads(table.content), indent=2, ensure_ascii=False, sort_keys=True)


def _changes(before: RoutingTable, after: RoutingTable) -> list[tuple[str, str]]:
    """Lines of a unified diff with the class that colours each."""
    lines = difflib.unified_diff(_pretty(before).splitlines(), _pretty(after).splitlines(), lineterm="", n=3)
    return [(TONES.get(line[:1], ""), line) for line in list(lines)[2:]]
