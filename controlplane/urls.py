"""Where each page and each API path lives."""

from django.urls import include, path

urlpatterns = [
    path("api/v1/", include("controlplane.api.urls")),
    path("ofrep/v1/", include("routing.ofrep.urls")),
    path("", include("controlplane.views.urls")),
    path("", include("routing.views.urls")),
    path("", include("experiments.views.urls")),
]
