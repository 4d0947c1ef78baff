"""Names that the parts of Envoy's configuration share with each other and with the agent."""

from typing import Any

# A message of Envoy's API in its JSON form.
Message = dict[str, Any]

HTTP_FILTERS = "type.googleapis.com/envoy.extensions.filters.http"

TABLE_PATH = "/.sluice/table"
FORCED_VARIANT_HEADER = "x-sluice-variant"

ROUTES = "sluice"
STATISTICS_PREFIX = "edge"

# Namespace of the metadata with the facts: what the access log says about a request.
FACTS = "sluice"

# Filters of the chain, in its order.
ROUTE_FACTS = "sluice.route_facts"
BODY_FIELDS = "sluice.body_fields"
UNIT = "sluice.unit"
ARM_FACTS = "sluice.arm_facts"
STREAM_FIELDS = "sluice.stream_fields"

# Namespace of the metadata with the unit of a body; apart, so that the facts never hold it.
BODY_UNIT = "sluice.body_unit"

# What the unit filter leaves behind: the unit as it came, and what is hashed.
RAW_UNIT = "sluice.raw_unit"
SALTED_UNIT = "sluice.salted_unit"
