"""API paths of experiments."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from experiments.api.data_health import DataHealthView
from experiments.api.gate import GateView
from experiments.api.specs import SpecApplyView, SpecExportView, SpecPlanView, SpecSchemaView
from experiments.api.views import ExperimentViewSet

router = SimpleRouter(trailing_slash=False)
router.register("experiments", ExperimentViewSet)

urlpatterns = [
    *router.urls,
    path("experiments/<str:key>/gate", GateView.as_view(), name="experiment-gate-api"),
    path("specs/plan", SpecPlanView.as_view(), name="spec-plan-api"),
    path("specs/apply", SpecApplyView.as_view(), name="spec-apply-api"),
    path("specs/export", SpecExportView.as_view(), name="spec-export-api"),
    path("specs/schema", SpecSchemaView.as_view(), name="spec-schema-api"),
    path("data-health", DataHealthView.as_view(), name="data-health-api"),
]
