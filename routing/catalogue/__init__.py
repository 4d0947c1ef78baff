"""What routing tables are made of, as people register and change it."""

from routing.catalogue.backends import BACKENDS
from routing.catalogue.endpoints import ENDPOINTS
from routing.catalogue.issuers import ISSUERS
from routing.catalogue.layers import LAYERS

RESOURCES = (BACKENDS, ENDPOINTS, LAYERS, ISSUERS)
