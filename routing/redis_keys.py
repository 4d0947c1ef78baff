"""Names of what Sluice keeps in Redis or Valkey."""

TABLE = "sluice:table"
TABLE_PUBLISHED = "sluice:table:published"
ORDERS = "sluice:orders"
TICKED = "sluice:ticked"
EDGES = "sluice:edges"
OUTCOMES = "sluice:outcomes"
COLLECTED = "sluice:collected"
COLLECTOR = "sluice:collector"
TIDIED = "sluice:tidied"
UNTIDIED = "sluice:untidied"
EDGE_ROWS = "sluice:edge-rows"
GAPS = "sluice:gaps"
SHARES = "sluice:shares"
REQUESTS_PREFIX = "sluice:requests:"


def edge(name: str) -> str:
    """Hash with the heartbeat of one edge; it expires when the edge falls silent."""
    return f"sluice:edge:{name}"


def counts(edge_name: str) -> str:
    """Hash with how many rows one edge has shipped, and which are lost."""
    return f"sluice:counts:{edge_name}"


def requests(edge_name: str) -> str:
    """Stream of request batches from one edge."""
    return f"{REQUESTS_PREFIX}{edge_name}"
