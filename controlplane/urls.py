"""Where each page and each API path lives."""

from django.urls import include, path

handler400 = "controlplane.views.errors.bad_request"
handler403 = "controlplane.views.errors.not_allowed"
handler404 = "controlplane.views.errors.not_found"
handler500 = "controlplane.views.errors.failed"

urlpatterns = [
    path("api/v1/", include("controlplane.api.urls")),
    path("ofrep/v1/", include("routing.ofrep.urls")),
    path("", include("controlplane.views.urls")),
    path("", include("routing.views.urls")),
    path("", include("experiments.views.urls")),
]
