"""Every public function of the statistics shows an example, and each example runs."""

import doctest
import importlib
import inspect
import pkgutil
from types import FunctionType, ModuleType

import pytest

import experiments.stats

MODULES = [
    importlib.import_module(found.name)
    for found in pkgutil.walk_packages(experiments.stats.__path__, "experiments.stats.")
]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_examples_run(module: ModuleType) -> None:
    assert doctest.testmod(module).failed == 0


def public_functions(module: ModuleType) -> list[FunctionType]:
    return [
        function
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    ]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_public_functions_say_what_they_do(module: ModuleType) -> None:
    assert [function.__name__ for function in public_functions(module) if not function.__doc__] == []
