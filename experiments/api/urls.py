"""API paths of experiments."""

from rest_framework.routers import SimpleRouter

from experiments.api.views import ExperimentViewSet, MetricViewSet

router = SimpleRouter(trailing_slash=False)
router.register("metrics", MetricViewSet)
router.register("experiments", ExperimentViewSet)

urlpatterns = router.urls
