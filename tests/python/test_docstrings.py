"""Everything public of the package is explained, also what the C module brings along."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest

import shopdata


def public_modules() -> Iterator[ModuleType]:
    yield shopdata
    for found in pkgutil.walk_packages(shopdata.__path__, "shopdata."):
        if not any(part.startswith("_") for part in found.name.split(".")):
            yield importlib.import_module(found.name)


def members(owner: Any) -> Iterator[tuple[str, Any]]:
    """What a class has of its own and is for others: methods and properties."""
    for name, member in vars(owner).items():
        if not name.startswith("_") and (callable(member) or isinstance(member, (property, classmethod, staticmethod))):
            yield name, member


def unexplained(module: ModuleType) -> list[str]:
    """Its public names without a docstring."""
    lacking = [] if module.__doc__ else [module.__name__]
    for name in getattr(module, "__all__", []):
        thing = vars(module)[name]
        if not (inspect.isclass(thing) or inspect.isroutine(thing)):
            continue
        if not inspect.getdoc(thing):
            lacking.append(f"{module.__name__}.{name}")
        if inspect.isclass(thing) and thing.__module__.startswith("shopdata"):
            lacking += [f"{module.__name__}.{name}.{own}" for own, one in members(thing) if not inspect.getdoc(one)]
    return lacking


@pytest.mark.parametrize("module", list(public_modules()), ids=lambda module: module.__name__)
def test_what_is_public_is_explained(module: ModuleType) -> None:
    assert unexplained(module) == []


def test_what_is_not_explained_is_found() -> None:
    module = ModuleType("sample", "A module.")
    exec("class A:\n  'A.'\n  def b(self): pass\ndef c(): pass\nA.__module__ = 'shopdata.sample'", module.__dict__)
    vars(module)["__all__"] = ["A", "c"]
    assert unexplained(module) == ["sample.A.b", "sample.c"]
