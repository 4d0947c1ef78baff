"""API paths of experiments."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from experiments.api.data_health import DataHealthView
from experiments.api.views import ExperimentViewSet

router = SimpleRouter(trailing_slash=False)
router.register("experiments", ExperimentViewSet)

urlpatterns = [*router.urls, path("data-health", DataHealthView.as_view(), name="data-health-api")]
