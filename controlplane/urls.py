"""Where each page and each API path lives."""

from django.urls import URLPattern, URLResolver, include, path
from rest_framework.routers import SimpleRouter

from controlplane.api.document import DocumentView
from controlplane.api.token_calls import TokenViewSet
from controlplane.api.workload_calls import WorkloadView
from controlplane.catalogue.everything import all_calls, all_pages
from controlplane.catalogue.index import IndexView
from controlplane.web.reference_pages import redoc, swagger

handler400 = "controlplane.api.error_answers.bad_request"
handler403 = "controlplane.api.error_answers.not_allowed"
handler404 = "controlplane.api.error_answers.not_found"
handler500 = "controlplane.api.error_answers.failed"

router = SimpleRouter(trailing_slash=False)
router.register("tokens", TokenViewSet)

api: list[URLPattern | URLResolver] = [
    path("", IndexView.as_view(), name="api-index"),
    path("schema/", DocumentView.as_view(), name="api-schema"),
    path("auth/oidc", WorkloadView.as_view(), name="workload-token"),
    *router.urls,
    *all_calls(),
    path("", include("routing.api.urls")),
    path("", include("experiments.api.urls")),
]

urlpatterns = [
    path("api/v1/", include(api)),
    path("api/redoc", redoc, name="api-redoc"),
    path("api/swagger", swagger, name="api-swagger"),
    path("ofrep/v1/", include("routing.ofrep.urls")),
    path("", include("controlplane.accounts.urls")),
    *all_pages(),
    path("", include("routing.views.urls")),
    path("", include("experiments.views.urls")),
]
