"""Find the delivery decisions in Python code, and the opposite of each.

A decision is a value that stands in the code: an argument of a call, an entry of a dict, a default,
or a call like ``basic_ack`` that can be left out. What is merely passed on, as in
``requeue=requeue``, was decided elsewhere.
"""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SWITCHES = {
    "auto_ack", "auto_delete", "confirms", "durable", "exclusive", "global_qos", "mandatory",
    "multiple", "persistent", "requeue",
}  # fmt: skip
LEFT_OUT = {
    "basic_ack", "basic_nack", "basic_reject", "commit", "confirm_delivery", "tx_commit",
}  # fmt: skip
LIMITS = {"max_length", "overflow"}  # x- arguments that a notebook spells as Python does
QUEUE_TYPES = {"quorum": "classic", "classic": "quorum", "stream": "classic"}
EXCHANGE_TYPES = {
    "fanout": "direct", "direct": "fanout", "topic": "fanout", "headers": "fanout",
    "x-consistent-hash": "fanout",
}  # fmt: skip
OPPOSITES: dict[str, Mapping[Any, object]] = {
    **{name: {True: False, False: True} for name in SWITCHES},
    "delivery_mode": {1: 2, 2: 1},
    "exchange_type": EXCHANGE_TYPES,
    "queue_type": QUEUE_TYPES,
    "x-match": {"all": "any", "any": "all"},
    "x-queue-type": QUEUE_TYPES,
}
MODES = {"Persistent": "Transient", "Transient": "Persistent"}


@dataclass(frozen=True, order=True)
class Edit:
    """A piece of the code, by its first and last byte, and what stands there instead."""

    start: int
    end: int
    text: str
    change: str  # for a reader: "durable=True → False"

    def apply(self, source: str) -> str:
        """Return the code with this piece changed and all the rest as it was."""
        code = source.encode()
        return (code[: self.start] + self.text.encode() + code[self.end :]).decode()


def signatures(sources: Sequence[str]) -> dict[str, ast.arguments]:
    """Return the parameters of each function that the code defines, by its name."""
    nodes = [node for source in sources for node in ast.walk(ast.parse(source))]
    return {node.name: node.args for node in nodes if isinstance(node, ast.FunctionDef)}


def decisions(source: str, known: Mapping[str, ast.arguments]) -> list[Edit]:
    """Return the edit that flips each delivery decision, in the order of the code.

    Args:
        source: Python code.
        known: parameters of the functions that it may call, from `signatures`.
    """
    return sorted(set(_Code(source, known).edits()))


class _Code:
    def __init__(self, source: str, known: Mapping[str, ast.arguments]) -> None:
        self.known = known
        self.code = source.encode()
        lines = self.code.splitlines(keepends=True)
        self.starts = [sum(map(len, lines[:number])) for number in range(len(lines))]
        self.tree = ast.parse(source)

    def edits(self) -> Iterator[Edit]:
        for node in _nodes(self.tree):
            for name, value in self.named(node):
                yield from self.flipped(name, value)
            match node:
                case ast.Dict():
                    yield from self.entries(node)
                case ast.Call():
                    yield from self.call(node)
                case ast.Attribute(attr="Persistent" | "Transient" as mode):
                    _, end = self.span(node)
                    yield Edit(end - len(mode), end, MODES[mode], f"{mode} → {MODES[mode]}")

    def named(self, node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
        """Yield the names that a node gives a value, with their values."""
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in self.known:
                named = _positional(self.known[name])
                yield from zip((each.arg for each in named), node.args, strict=False)
            case ast.Call(func=ast.Attribute(attr="exchange_declare"), args=[_, kind, *_]):
                yield "exchange_type", kind
            case ast.Dict():
                for key, value in zip(node.keys, node.values, strict=True):
                    if isinstance(key, ast.Constant) and isinstance(key.value, str):
                        yield key.value, value
            case ast.arguments():
                yield from _defaults(node)
            case ast.Assign(targets=[ast.Name(id=name)]):
                yield name, node.value
            case ast.For() | ast.comprehension() if isinstance(node.target, ast.Tuple):
                yield from _rows(node.target, node.iter)
        if isinstance(node, ast.Call):
            yield from ((each.arg, each.value) for each in node.keywords if each.arg)

    def flipped(self, name: str, value: ast.expr) -> Iterator[Edit]:
        start, end = self.span(value)
        now = self.code[start:end].decode()
        if name in SWITCHES and isinstance(value, ast.Compare | ast.BoolOp | ast.UnaryOp):
            yield Edit(start, end, f"not ({now})", f"{name}={now} → the opposite")
        if not isinstance(value, ast.Constant):
            return
        if name == "prefetch_count" and type(value.value) is int:
            other: object = 50 if value.value == 1 else 1
        elif value.value in (known := OPPOSITES.get(name, {})):
            other = known[value.value]
        else:
            return
        text = f'"{other}"' if isinstance(other, str) else repr(other)
        yield Edit(start, end, text, f"{name}={now} → {text}")

    def entries(self, node: ast.Dict) -> Iterator[Edit]:
        """Yield the x- arguments of a dict, left out, and the types in its rows."""
        for key, value in zip(node.keys, node.values, strict=True):
            if not isinstance(key, ast.Constant):
                continue
            name = str(key.value)
            if name.startswith("x-"):
                if not any(self.flipped(name, value)):
                    yield self.without((self.span(key)[0], self.span(value)[1]), "{{{}}}")
                continue
            for each in value.elts if isinstance(value, ast.Tuple) else [value]:
                yield from self.flipped("queue_type", each)
                if isinstance(value, ast.Tuple):
                    yield from self.flipped("exchange_type", each)

    def call(self, node: ast.Call) -> Iterator[Edit]:
        """Yield a call that is left out, and the arguments of a call that are."""
        called = self.known.get(ast.unparse(node.func))
        if called and called.kwarg:  # others name the argument themselves, and need it
            for each in node.keywords:
                if each.arg in LIMITS:
                    yield self.without(self.span(each), "dict({})")
        if self.can_go(node):
            start, end = self.span(node)
            what = " ".join(self.code[start:end].decode().split())
            yield Edit(start, start, "None and ", f"left out: {what}")
        for value in node.args:  # as in partial(channel.basic_ack, delivery_tag)
            if isinstance(value, ast.Attribute) and value.attr in LEFT_OUT:
                start, end = self.span(value)
                what = self.code[start:end].decode()
                yield Edit(start, end, "(lambda *_, **__: None)", f"left out: {what}")

    def can_go(self, node: ast.Call) -> bool:
        if not isinstance(node.func, ast.Attribute):
            return False
        if node.func.attr == "basic_qos":  # a limit that is written here is flipped instead
            return not any(isinstance(each.value, ast.Constant) for each in node.keywords)
        # A database's commit has no arguments, the one of a prediction has.
        return node.func.attr in LEFT_OUT and not (node.func.attr == "commit" and node.args)

    def without(self, span: tuple[int, int], form: str) -> Edit:
        """Return the edit that leaves an entry out, but keeps it readable."""
        now = self.code[slice(*span)].decode()
        what = " ".join(now.split())
        return Edit(*span, f"**({{}} and {form.format(now)})", f"left out: {what}")

    def span(self, node: ast.expr | ast.keyword) -> tuple[int, int]:
        end_line, end_column = node.end_lineno or 0, node.end_col_offset or 0
        start = self.starts[node.lineno - 1] + node.col_offset
        return start, self.starts[end_line - 1] + end_column


def _positional(arguments: ast.arguments) -> list[ast.arg]:
    return arguments.posonlyargs + arguments.args


def _defaults(arguments: ast.arguments) -> Iterator[tuple[str, ast.expr]]:
    named = _positional(arguments)
    with_default = named[len(named) - len(arguments.defaults) :] + arguments.kwonlyargs
    values = [*arguments.defaults, *arguments.kw_defaults]
    for each, value in zip(with_default, values, strict=True):
        if value is not None:
            yield each.arg, value


def _rows(target: ast.Tuple, values: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """Yield the names of a loop with the values in each row that it goes through."""
    names = [ast.unparse(each) for each in target.elts]
    for row in _nodes(values):
        if isinstance(row, ast.Tuple) and len(row.elts) == len(names):
            yield from zip(names, row.elts, strict=True)


def _nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and all below it, except what is in f-strings: their positions are not exact."""
    yield tree
    for child in ast.iter_child_nodes(tree):
        if not isinstance(child, ast.JoinedStr):
            yield from _nodes(child)
