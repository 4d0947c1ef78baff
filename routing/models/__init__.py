"""Backends, endpoints, published routing tables and the edges that apply them."""

from routing.models.access_key import AccessKey
from routing.models.backend import IN_USE, Backend
from routing.models.edge import Edge
from routing.models.endpoint import Endpoint, Entrance, UnitSource
from routing.models.erasure import Erasure
from routing.models.event_import import EventImport
from routing.models.issuer import Issuer
from routing.models.layer import Layer, new_salt
from routing.models.published import Hindrance, RoutingTable
from routing.models.split import Split
from routing.models.stop import Span, Stop
from routing.models.tick import Tick

__all__ = [
    "IN_USE",
    "AccessKey",
    "Backend",
    "Edge",
    "Endpoint",
    "Entrance",
    "Erasure",
    "EventImport",
    "Hindrance",
    "Issuer",
    "Layer",
    "RoutingTable",
    "Span",
    "Split",
    "Stop",
    "Tick",
    "UnitSource",
    "new_salt",
]
