"""Names that the parts of Envoy's configuration share with each other and with the agent."""

from typing import Any

# A message of Envoy's API in its JSON form.
Message = dict[str, Any]

HTTP_FILTERS = "type.googleapis.com/envoy.extensions.filters.http"

TABLE_PATH = "/.sluice/table"
FORCED_VARIANT_HEADER = "x-sluice-variant"
EXPLAIN_HEADER = "x-sluice-explain"
TEST_KEY_HEADER = "x-sluice-key"
SHADOW_HEADER = "x-sluice-shadow"
COOKIE = "sluice-unit"
RETRY_AFTER = "retry-after"

# What one HTTP/2 connection may have under way, and what may wait in it.
HTTP2 = {
    "max_concurrent_streams": 1000,
    "initial_stream_window_size": 1 << 20,
    "initial_connection_window_size": 16 << 20,
}

ROUTES = "sluice"
SHADOWS = "sluice.shadows"
STATISTICS_PREFIX = "edge"

# The variable of Envoy's environment that tells one run of it from the next.
RUN_VARIABLE = "SLUICE_RUN"

# Namespace of the metadata with the facts: what the access log says about a request.
FACTS = "sluice"

# Namespace of the metadata of a backend's hosts: which backend answered, and its prices.
HOST_FACTS = "sluice.host"
ANSWERER = "answerer"

# Namespace of the metadata of hosts that is never logged: what they are called with, by header.
HOST_CREDENTIALS = "sluice.credentials"

# Filters of the chain, in its order.
ROUTE_FACTS = "sluice.route_facts"
ADDRESS_FIELDS = "sluice.address_fields"
BODY_LIMIT = "sluice.body_limit"
BODY_FIELDS = "sluice.body_fields"
READ = "sluice.read"
MODEL_FACTS = "sluice.model_facts"
TOKENS = "sluice.tokens"
KEYS = "sluice.keys"
TESTERS = "sluice.testers"
RETRY = "sluice.retry"
LIMITS = "sluice.limits"
UNIT = "sluice.unit"
IDENTITY = "sluice.identity"
SALT = "sluice.salt"
ARM_FACTS = "sluice.arm_facts"
PARAMETERS = "sluice.parameters"
ANSWERS = "sluice.answers"
EXPLANATION = "sluice.explanation"
OWN_COOKIE = "sluice.own_cookie"

# Namespace of the metadata that decides and is never logged: the unit of a body or cookie, the model.
FIELDS = "sluice.fields"

# The field that says why a script refused a request.
REFUSED = "refused"

# Namespace of the metadata of routes: what is looked at when Envoy answers by itself.
NOTES = "sluice.notes"

# What the read filter leaves behind once a body was looked at.
BODY_READ = "sluice.body_read"

# What the unit filter leaves behind: the unit as it came, and what is hashed.
RAW_UNIT = "sluice.raw_unit"
SALTED_UNIT = "sluice.salted_unit"

# And the cookie that whoever had no unit gets.
NEW_COOKIE = "sluice.new_cookie"
