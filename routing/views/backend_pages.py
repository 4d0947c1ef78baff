"""Pages that take a backend out of use, and back into it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from controlplane.models import Right
from controlplane.web.pages import acting, done, page, requires
from routing.models import Backend
from routing.resources.references import living_users
from routing.resources.restore import restore
from routing.resources.retire import retire


@require_http_methods(["GET", "POST"])
@requires(Right.PLAN)
def backend_retire(request: HttpRequest, key: str) -> HttpResponse:
    """Say who uses a backend, or ask, then take it out of use."""
    backend = get_object_or_404(Backend, key=key)
    if request.method == "POST":
        done(request, lambda: retire(backend, actor=acting(request)), f"Backend {key} is retired.")
        return redirect("backend-list")
    return page(request, "routing/retire_backend.html", {"backend": backend, "users": living_users(backend)})


@require_POST
@requires(Right.PLAN)
def backend_restore(request: HttpRequest, key: str) -> HttpResponse:
    """Bring a retired backend back into use."""
    backend = get_object_or_404(Backend, key=key)
    done(request, lambda: restore(backend, actor=acting(request)), f"Backend {key} can be used again.")
    return redirect("backend-list")
