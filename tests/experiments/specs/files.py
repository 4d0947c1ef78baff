"""A file of specs with one of each kind, as a person would write it."""

WHOLE = """\
# The chat and its first canary.
layers:
  - key: checkout
    name: Checkout
    holdout: 5
backends:
  - key: small
    name: Small
    addresses: [http://10.0.0.5:8000]  # the old machine
    fallback: large
  - key: large
    name: Large
    addresses:
      - http://10.0.0.6:8000
    prompt_price: 2.5
metrics:
  - key: thumbs-up
    name: Thumbs up
    type: mean
    direction: increase
    numerator: outcome(thumbs-up)
---
endpoints:
  - key: chat
    name: Chat
    path_prefix: /chat
    backend: small
    layer: checkout
    rules:
      - key: germany
        conditions: [x-country is DE]
        backend: large
experiments:
  - key: large-canary
    name: 'Large for the chat'
    endpoint: chat
    traffic: 20
    control: {key: control, backend: small}
    candidates:
      - key: large
        backend: large
    plan:
      alpha: 1e-2  # we promote rarely
      stages:
        - {coverage: 10, soak_seconds: 3600}
        - {coverage: 100, soak_seconds: 86400}
      metrics:
        - metric: thumbs-up
          role: goal
"""
