# REQUIRES: python-package
# RUN: %python %s %source_dir/python/prune/_prune.pyi
"""The type stubs name what the package has, no more and no less; all of it is documented.

SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""

import ast
import inspect
import sys

import prune
from prune import _prune


def public(names):
    return {name for name in names if not name.startswith("_") or name == "__call__"}


with open(sys.argv[1], encoding="utf-8") as file:
    STUBS = ast.parse(file.read())
declared = {}
for node in STUBS.body:
    if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
        members = node.body if isinstance(node, ast.ClassDef) else []
        declared[node.name] = {m.name: m for m in members if isinstance(m, ast.FunctionDef)}

assert set(declared) == public(vars(_prune)), set(declared) ^ public(vars(_prune))
for name in prune.__all__:
    assert getattr(prune, name).__doc__, f"{name} is not documented"
for name in ("Module", "Program", "Weights"):
    there = vars(getattr(_prune, name))
    assert public(declared[name]) == public(there), set(declared[name]) ^ public(there)
    for member in public(there):
        documented = getattr(_prune, name).__dict__[member].__doc__
        assert documented, f"{name}.{member} is not documented"
        stub = declared[name][member]
        if any(getattr(d, "id", "") == "property" for d in stub.decorator_list) or member == "__call__":
            continue
        if inspect.isfunction(vars(getattr(_prune, name))[member]):  # of collections.abc
            wanted = [a.arg for a in stub.args.args + stub.args.kwonlyargs]
            wanted += [stub.args.kwarg.arg] if stub.args.kwarg else []
            assert list(inspect.signature(there[member]).parameters) == wanted, member
            continue
        # pybind11 writes the signature into the first line.
        signature = getattr(getattr(_prune, name), member).__doc__.splitlines()[0]
        for argument in stub.args.args:
            assert argument.arg == "self" or f"{argument.arg}:" in signature, (member, argument.arg, signature)
        given = signature.count(": ") - signature.count("self: ")
        wanted = sum(a.arg != "self" for a in stub.args.args)
        assert given >= wanted, (member, signature)
