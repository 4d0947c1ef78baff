"""The protocol's paths, which it names itself."""

from django.urls import path

from routing.ofrep.flags import FlagsView, FlagView

urlpatterns = [
    path("evaluate/flags", FlagsView.as_view(), name="ofrep-flags"),
    path("evaluate/flags/<path:key>", FlagView.as_view(), name="ofrep-flag"),
]
