"""Where each page and each API path lives."""

from django.urls import include, path

handler400 = "controlplane.api.error_answers.bad_request"
handler403 = "controlplane.api.error_answers.not_allowed"
handler404 = "controlplane.api.error_answers.not_found"
handler500 = "controlplane.api.error_answers.failed"

urlpatterns = [
    path("api/v1/", include("controlplane.api.urls")),
    path("ofrep/v1/", include("routing.ofrep.urls")),
    path("", include("controlplane.accounts.urls")),
    path("", include("routing.views.urls")),
    path("", include("experiments.views.urls")),
]
