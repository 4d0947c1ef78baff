"""Pages of backends."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from controlplane.models import Role
from controlplane.web.editing import unsaved
from controlplane.web.pages import accepted, acting, done, page, requires
from routing.models import Backend
from routing.resources.broken_rows import what_is_broken
from routing.resources.edit import edit
from routing.resources.references import living_users
from routing.resources.register import register
from routing.resources.remove import remove
from routing.resources.restore import restore
from routing.resources.retire import retire
from routing.views.resource_forms import BackendForm


@require_safe
def backend_list(request: HttpRequest) -> HttpResponse:
    """All backends and where they are used, and those that were retired."""
    backends = list(Backend.objects.select_related("fallback").prefetch_related("endpoints"))
    context = {
        "backends": [(backend, what_is_broken(backend, ())) for backend in backends if not backend.is_over],
        "retired": [backend for backend in backends if backend.is_over],
    }
    return page(request, "routing/backends.html", context)


@require_http_methods(["GET", "POST"])
@requires(Role.OPERATOR)
def backend_new(request: HttpRequest) -> HttpResponse:
    """Register a backend."""
    form = BackendForm(request.POST or None)
    if form.is_valid() and accepted(form, lambda: register(form.instance, actor=acting(request))):
        messages.success(request, f"Backend {form.instance.key} is registered.")
        return redirect("backend-list")
    return page(request, "routing/backend_form.html", {"form": form})


@require_http_methods(["GET", "POST"])
@requires(Role.OPERATOR)
def backend_edit(request: HttpRequest, key: str) -> HttpResponse:
    """Change a backend."""
    backend = get_object_or_404(Backend, key=key)
    form = BackendForm(request.POST or None, instance=backend)
    left = unsaved(form, lambda changes, version: edit(backend, changes, actor=acting(request), version=version))
    if left is None:
        messages.success(request, f"Backend {key} is changed; edges apply it within a second.")
        return redirect("backend-list")
    return page(request, "routing/backend_form.html", {"form": left, "key": key})


@require_http_methods(["GET", "POST"])
@requires(Role.OPERATOR)
def backend_delete(request: HttpRequest, key: str) -> HttpResponse:
    """Ask, then remove a backend that nothing uses."""
    backend = get_object_or_404(Backend, key=key)
    if request.method == "POST":
        done(request, lambda: remove(backend, actor=acting(request)), f"Backend {key} is removed.")
        return redirect("backend-list")
    context = {
        "kind": "backend",
        "key": key,
        "back": reverse("backend-list"),
        "consequence": "Edges forget its addresses. One that an endpoint or an experiment names is kept; when all of "
        "these have ended, retire it instead.",
    }
    return page(request, "confirm_removal.html", context)


@require_http_methods(["GET", "POST"])
@requires(Role.OPERATOR)
def backend_retire(request: HttpRequest, key: str) -> HttpResponse:
    """Say who uses a backend, or ask, then take it out of use."""
    backend = get_object_or_404(Backend, key=key)
    if request.method == "POST":
        done(request, lambda: retire(backend, actor=acting(request)), f"Backend {key} is retired.")
        return redirect("backend-list")
    return page(request, "routing/retire_backend.html", {"backend": backend, "users": living_users(backend)})


@require_POST
@requires(Role.OPERATOR)
def backend_restore(request: HttpRequest, key: str) -> HttpResponse:
    """Bring a retired backend back into use."""
    backend = get_object_or_404(Backend, key=key)
    done(request, lambda: restore(backend, actor=acting(request)), f"Backend {key} can be used again.")
    return redirect("backend-list")
