"""What of the statistics no product module reaches is named where the statistics begin, and nothing else is."""

import re

import grimp

from experiments import stats

APPS = ("controlplane", "routing", "experiments")


def test_what_waits_to_be_wired_in_is_named() -> None:
    graph = grimp.build_graph(*APPS)
    modules = {module for module in graph.modules if module.startswith("experiments.stats.")}
    reached = set[str]()
    waiting = set(graph.modules) - modules
    while waiting:
        reached |= waiting
        waiting = {found for module in waiting for found in graph.find_modules_directly_imported_by(module)} - reached
    holding = {module for module in modules if not graph.find_children(module)}
    assert stats.__doc__ is not None
    named = {f"experiments.stats.{name}" for name in re.findall(r"`([\w.]+)`", stats.__doc__)}
    assert holding - reached == named
