"""Exchanges steps where there is no grammar: functions of one name that are called alike are interchangeable (worker only)."""

from __future__ import annotations

import ast
import builtins
import random
import re
from collections.abc import Iterator, Sequence
from inspect import Parameter, Signature

from evolve.operators.offline.base import Change, weighted
from evolve.operators.offline.script import Definition, Script, Unsuitable
from evolve.operators.offline.splice import renamed

Function = ast.FunctionDef | ast.AsyncFunctionDef


def exchange(script: Script, donor: Script, focus: Sequence[str], rng: random.Random) -> Change:
    """Put one of the donor's functions in place of the script's of the same name, with all that it needs."""
    wanted = [name for name in shared(script, donor) if _text(name, script) != _text(name, donor)]
    if not wanted:
        raise Unsuitable("the donor has no function of the same name and parameters that differs from the method's own")
    name = weighted(wanted, focus, rng)
    return Change(exchanged(script, name, donor), f"replace {name}: {donor.about(name)}")


def shared(script: Script, donor: Script) -> tuple[str, ...]:
    """Return the names of the script's functions in whose place the donor's can be called."""
    both = [name for name in script.steps if name in donor.steps]
    return tuple(name for name in both if _interchangeable(name, script, donor))


def exchanged(script: Script, name: str, donor: Script) -> Script:
    """Return the script with the donor's function of that name, and without what is needed no more."""
    brought = {d.name: d for d in renamed(donor, name, script)}
    _check_bound(donor, name)
    imports = [d for d in brought.values() if d.kind == "import" and d.name not in script.definitions]
    placed = {d.name: d for d in script.definitions.values() if d.is_future} | {d.name: d for d in imports}
    for own in script.definitions.values():
        if own.name == name:  # what is needed when a function is defined, such as a default, stands before it
            placed |= {other: d for other, d in brought.items() if other not in placed}
        placed.setdefault(own.name, brought.get(own.name, own))
    return script.with_only(placed).pruned()


def _text(name: str, script: Script) -> list[str]:
    """Return a function and all that it needs, without the numbers that earlier collisions gave to names."""
    return [re.sub(r"_\d+\b", "", script.definitions[n].code) for n in script.closure([name])]


def _check_bound(donor: Script, name: str) -> None:
    """Raise Unsuitable when what a function needs is bound, or changed, by a statement that cannot travel with it."""
    closure = donor.closure([name])
    needed = {used for own in closure for used in donor.definitions[own].uses}
    own = {n for n in closure if donor.definitions[n].kind != "import"}
    lost = needed - donor.definitions.keys() - set(dir(builtins))
    loose = [node for n in donor.loose for node in ast.walk(ast.parse(donor.definitions[n].code))]
    lost |= own & {node.id for node in loose if isinstance(node, ast.Name)}
    if lost:
        raise Unsuitable(f"the donor's {name} needs {min(lost)}, which more than a plain definition makes")


def _interchangeable(name: str, script: Script, donor: Script) -> bool:
    """Tell whether a donor's function takes all the calls that the script makes of its own."""
    own, other = _function(script.definitions[name]), _function(donor.definitions[name])
    if _nature(own) != _nature(other):
        return False
    return all(_binds(_signature(other), *call) for call in _calls(name, _signature(own), script))


def _function(definition: Definition) -> Function:
    node = ast.parse(definition.code).body[0]
    assert isinstance(node, Function)
    return node


def _nature(node: Function) -> tuple[object, ...]:
    """Return what two functions must have in common, whatever they compute: a call of both means the same kind of thing."""
    yields = any(isinstance(inner, ast.Yield | ast.YieldFrom) for inner in ast.walk(node))
    return len(_signature(node).parameters), type(node), yields, [ast.dump(d) for d in node.decorator_list]


def _signature(node: Function) -> Signature:
    given, plain = node.args, [*node.args.posonlyargs, *node.args.args]
    optional = len(plain) - len(given.defaults)
    found = [
        Parameter(
            p.arg,
            Parameter.POSITIONAL_ONLY if p in given.posonlyargs else Parameter.POSITIONAL_OR_KEYWORD,
            default=Parameter.empty if i < optional else None,
        )
        for i, p in enumerate(plain)
    ]
    found += [Parameter(given.vararg.arg, Parameter.VAR_POSITIONAL)] if given.vararg else []
    for p, default in zip(given.kwonlyargs, given.kw_defaults):
        found.append(Parameter(p.arg, Parameter.KEYWORD_ONLY, default=Parameter.empty if default is None else None))
    found += [Parameter(given.kwarg.arg, Parameter.VAR_KEYWORD)] if given.kwarg else []
    return Signature(found)


def _calls(name: str, signature: Signature, script: Script) -> Iterator[tuple[int, Sequence[str]]]:
    """Yield how many arguments each call hands over in order, and which by name; where it is handed on, what it asks for."""
    plain = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    for definition in script.definitions.values():
        nodes = list(ast.walk(ast.parse(definition.code))) if name in definition.uses else []
        calls = [n for n in nodes if isinstance(n, ast.Call) and isinstance(n.func, ast.Name) and n.func.id == name]
        for call in calls:
            keywords = [k.arg for k in call.keywords if k.arg is not None]
            if len(keywords) == len(call.keywords) and not any(isinstance(a, ast.Starred) for a in call.args):
                yield len(call.args), keywords
        if sum(isinstance(n, ast.Name) and n.id == name for n in nodes) > len(calls):
            yield sum(p.kind in plain and p.default is Parameter.empty for p in signature.parameters.values()), ()


def _binds(signature: Signature, positional: int, keywords: Sequence[str]) -> bool:
    try:
        signature.bind(*[None] * positional, **dict.fromkeys(keywords))
    except TypeError:
        return False
    return True
