"""API paths of experiments."""

from rest_framework.routers import SimpleRouter

from experiments.api.views import ExperimentViewSet

router = SimpleRouter(trailing_slash=False)
router.register("experiments", ExperimentViewSet)

urlpatterns = router.urls
