"""The edge's agent: keeps one Envoy on the current routing table and ships what its access log says.

It runs beside Envoy, never between it and the users: when the agent is away, requests are served as before.
"""
