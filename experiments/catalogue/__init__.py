"""What people define for experiments."""

from experiments.catalogue.metrics import METRICS

RESOURCES = (METRICS,)
