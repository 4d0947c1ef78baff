"""All API paths, version 1."""

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView

from controlplane.api.index import IndexView, NotFoundView

urlpatterns = [
    path("", IndexView.as_view(), name="api-index"),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("", include("routing.api.urls")),
    path("", include("experiments.api.urls")),
    re_path(r"^.*$", NotFoundView.as_view()),
]
