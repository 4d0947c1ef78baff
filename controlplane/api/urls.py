"""All API paths, version 1."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

from controlplane.api.index import IndexView

urlpatterns = [
    path("", IndexView.as_view(), name="api-index"),
    path("schema/", SpectacularAPIView.as_view(), name="api-schema"),
    path("", include("routing.api.urls")),
    path("", include("experiments.api.urls")),
]
