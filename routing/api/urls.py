"""API paths of routing."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from routing.api.access_keys import AccessKeyViewSet
from routing.api.alert_list import AlertsView
from routing.api.edge_calls import EdgeViewSet
from routing.api.erasures import ErasureViewSet
from routing.api.event_counts import EventCountsView
from routing.api.event_imports import EventImportViewSet
from routing.api.events import EventsView
from routing.api.kill_switch_state import KillSwitchView
from routing.api.lake import LakeView
from routing.api.table_calls import RoutingTableViewSet

router = SimpleRouter(trailing_slash=False)
router.register("access-keys", AccessKeyViewSet)
router.register("edges", EdgeViewSet)
router.register("event-imports", EventImportViewSet)
router.register("erasures", ErasureViewSet)
router.register("routing-tables", RoutingTableViewSet)

urlpatterns = [
    path("alerts", AlertsView.as_view(), name="alerts"),
    path("events", EventsView.as_view(), name="events"),
    path("events/counts", EventCountsView.as_view(), name="event-counts"),
    path("lake", LakeView.as_view(), name="lake"),
    path("kill-switch", KillSwitchView.as_view(), name="kill-switch-api"),
    *router.urls,
]
