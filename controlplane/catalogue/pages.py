"""The pages of a resource: its list, and the forms by which one is added, changed and removed."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import URLPattern, path, reverse
from django.views.decorators.http import require_http_methods, require_safe

from controlplane.catalogue.resource import Resource
from controlplane.models import Right
from controlplane.web.editing import unsaved
from controlplane.web.pages import accepted, acting, done, page, requires


def pages(resource: Resource[Any]) -> list[URLPattern]:
    """Where each page lives, and by what name it is linked to."""
    noun, plural = resource.noun, resource.plural
    return [
        path(plural, _list(resource), name=f"{noun}-list"),
        path(f"{plural}/new", _new(resource), name=f"{noun}-new"),
        path(f"{plural}/<slug:key>/edit", _edit(resource), name=f"{noun}-edit"),
        path(f"{plural}/<slug:key>/delete", _delete(resource), name=f"{noun}-delete"),
    ]


def _list(resource: Resource[Any]) -> Callable[[HttpRequest], HttpResponse]:
    @require_safe
    def show(request: HttpRequest) -> HttpResponse:
        return page(request, resource.list_template, {"resource": resource, **resource.listed(resource.rows.all())})

    return show


def _new(resource: Resource[Any]) -> Callable[[HttpRequest], HttpResponse]:
    @require_http_methods(["GET", "POST"])
    @requires(Right.PLAN)
    def add(request: HttpRequest) -> HttpResponse:
        form = resource.form(request.POST or None)
        if form.is_valid() and accepted(form, lambda: resource.add(form.instance, actor=acting(request))):
            messages.success(request, f"{resource.noun.capitalize()} {form.instance.key} {resource.words.added}")
            return redirect(f"{resource.noun}-list")
        return page(request, resource.form_template, {"resource": resource, "form": form})

    return add


def _edit(resource: Resource[Any]) -> Callable[[HttpRequest, str], HttpResponse]:
    @require_http_methods(["GET", "POST"])
    @requires(Right.PLAN)
    def edit(request: HttpRequest, key: str) -> HttpResponse:
        row = get_object_or_404(resource.model, key=key)
        form = resource.form(request.POST or None, instance=row)
        save = partial(resource.edit, row, actor=acting(request))
        left = unsaved(form, lambda changes, version: save(changes, version=version))
        if left is None:
            outcome = resource.words.changed if form.changes else "is as it was: nothing is changed."
            messages.success(request, f"{resource.noun.capitalize()} {key} {outcome}")
            return redirect(f"{resource.noun}-list")
        return page(request, resource.form_template, {"resource": resource, "form": left, "key": key})

    return edit


def _delete(resource: Resource[Any]) -> Callable[[HttpRequest, str], HttpResponse]:
    @require_http_methods(["GET", "POST"])
    @requires(Right.PLAN)
    def ask(request: HttpRequest, key: str) -> HttpResponse:
        row, noun = get_object_or_404(resource.model, key=key), resource.noun
        back = reverse(f"{noun}-list")
        if request.method == "POST":
            remove = partial(resource.remove, row, actor=acting(request))
            done(request, remove, f"{noun.capitalize()} {key} is removed.")
            return redirect(back)
        context = {"kind": noun, "key": key, "back": back, "consequence": resource.words.removal}
        return page(request, "confirm_removal.html", context)

    return ask
