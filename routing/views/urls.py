"""Where the pages of routing live."""

from django.urls import path

from routing.views.access_key_pages import access_key_list, access_key_revoke
from routing.views.backend_pages import backend_restore, backend_retire
from routing.views.edge_pages import edge_list, edge_retire
from routing.views.endpoint_pages import endpoint_detail, endpoint_switch
from routing.views.kill_switch_page import kill_switch
from routing.views.outcome_pages import outcome_import, outcome_list
from routing.views.table_pages import routing_table_detail, routing_table_list

urlpatterns = [
    path("backends/<slug:key>/retire", backend_retire, name="backend-retire"),
    path("backends/<slug:key>/restore", backend_restore, name="backend-restore"),
    path("endpoints/<slug:key>", endpoint_detail, name="endpoint-detail"),
    path("endpoints/<slug:key>/switch", endpoint_switch, name="endpoint-switch"),
    path("endpoints/<slug:key>/stop", kill_switch, name="endpoint-stop"),
    path("kill-switch", kill_switch, name="kill-switch"),
    path("access-keys", access_key_list, name="access-key-list"),
    path("access-keys/<int:pk>/revoke", access_key_revoke, name="access-key-revoke"),
    path("edges", edge_list, name="edge-list"),
    path("edges/<path:name>/retire", edge_retire, name="edge-retire"),
    path("outcomes", outcome_list, name="outcome-list"),
    path("outcomes/import", outcome_import, name="outcome-import"),
    path("routing-tables", routing_table_list, name="routing-table-list"),
    path("routing-tables/<int:version>", routing_table_detail, name="routing-table-detail"),
]
