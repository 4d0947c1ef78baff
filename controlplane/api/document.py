"""The API's document."""

from drf_spectacular.views import SpectacularAPIView


class DocumentView(SpectacularAPIView):
    """What calls there are; public to all."""

    asks_for_endpoint = True
