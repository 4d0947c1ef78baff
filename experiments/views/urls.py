"""Where the pages of experiments live."""

from django.urls import path

from experiments.actions.verbs import VERBS
from experiments.views.buttons import button, experiment_delete
from experiments.views.data_health import data_health
from experiments.views.detail import experiment_detail, experiment_drawing, experiment_live
from experiments.views.forecast_page import experiment_forecast
from experiments.views.listing import experiment_list
from experiments.views.new import experiment_edit, experiment_new
from experiments.views.promotion_page import experiment_promote

urlpatterns = [
    path("", experiment_list, name="experiment-list"),
    path("data-health", data_health, name="data-health"),
    path("experiments/new", experiment_new, name="experiment-new"),
    path("experiments/<slug:key>", experiment_detail, name="experiment-detail"),
    path("experiments/<slug:key>/edit", experiment_edit, name="experiment-edit"),
    path("experiments/<slug:key>/live", experiment_live, name="experiment-live"),
    path("experiments/<slug:key>/drawing", experiment_drawing, name="experiment-drawing"),
    path("experiments/<slug:key>/forecast", experiment_forecast, name="experiment-forecast"),
    *(path(f"experiments/<slug:key>/{verb.name}", button(verb), name=verb.route) for verb in VERBS),
    path("experiments/<slug:key>/promote", experiment_promote, name="experiment-promote"),
    path("experiments/<slug:key>/delete", experiment_delete, name="experiment-delete"),
]
