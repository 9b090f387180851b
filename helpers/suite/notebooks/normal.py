"""Normalise notebooks so that a diff shows only real changes."""

import copy
import re

from nbformat import NotebookNode, from_dict

from helpers.suite.notebooks.cards import CHECK_TAG, claim_ids, tags

READABLE_ID = re.compile(r"[a-z0-9-]{3,64}")
# Ids made by editors, eight hexadecimal digits or a UUID: they match the pattern without a meaning.
RANDOM_ID = re.compile(r"(?=.*\d)[0-9a-f]{8}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
ID_LENGTH = 40

# Generated names. Cards are exempt, so that every change in them is visible.
SANITISED = (
    (re.compile(r"\b0x[0-9a-f]{6,16}\b"), "0x…"),
    (re.compile(r"\bipykernel_\d+/\d+\.py\b"), "ipykernel/cell.py"),
    (re.compile(r"\b(ctag\d+)\.[0-9a-f]{8,}\b"), r"\1.…"),
    (re.compile(r"\b(amq\.(?:gen|ctag)-)[\w-]{20,}"), r"\1…"),
    (re.compile(r"\b((?:q\d\d|lab)-)[0-9a-f]{8}\b"), r"\1…"),
    (re.compile(r"(127\.0\.0\.1|\blocalhost|\[::1\]):\d{4,5}\b"), r"\1:port"),
)


def sanitise(text: str) -> str:
    """Replace generated names: addresses, ports, consumer tags, vhosts.

    Args:
        text: output of a cell, plain or HTML.

    Returns:
        The text; a second call changes nothing.
    """
    for pattern, replacement in SANITISED:
        text = pattern.sub(replacement, text)
    return text


def normalise(nb: NotebookNode) -> NotebookNode:
    """Return a copy of a notebook in the stored form.

    Executed cells are counted 1 … n; cell metadata is reduced to tags; ids are readable and
    unique; the kernel is a plain ``python3``; times, widget state and generated names are removed.

    Args:
        nb: a notebook, which stays as it is. A cell without a count, never run, gets none.
    """
    new = from_dict(
        {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {
                "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
                "language_info": {"name": "python"},
            },
            "cells": [],
        }
    )
    count = 0
    taken: set[str] = set()
    for old in nb.cells:
        cell = copy.deepcopy(old)
        cell.metadata = from_dict({"tags": tags(old)} if tags(old) else {})
        cell.id = _stable_id(old, taken)
        taken.add(cell.id)
        cell.pop("attachments", None)
        if cell.cell_type == "code":
            if cell.get("execution_count") is not None:
                count += 1
                cell.execution_count = count
            cell.outputs = [_normal_output(output, cell) for output in cell.outputs]
        new.cells.append(cell)
    return new


def _stable_id(cell: NotebookNode, taken: set[str]) -> str:
    current = cell.get("id", "")
    if READABLE_ID.fullmatch(current) and not RANDOM_ID.fullmatch(current):
        base = current
    else:
        base = _describe(cell)
    unique, number = base, 2
    while unique in taken:
        unique, number = f"{base[: ID_LENGTH + 16]}-{number}", number + 1
    return unique


def _describe(cell: NotebookNode) -> str:
    claims = claim_ids(cell)
    lines = [line for line in cell.source.splitlines() if line.strip()] or [cell.cell_type]
    named = [match[1] for line in lines if (match := re.match(r"(?:def|class) (\w+)", line))]
    if claims:
        text = f"check {claims[0]}"
    elif cell.cell_type == "code" and named:
        text = named[0]
    else:
        text = lines[0]
    slug = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:ID_LENGTH].strip("-")
    return slug if len(slug) >= 3 else f"{cell.cell_type}-{slug}".strip("-")


def _normal_output(output: NotebookNode, cell: NotebookNode) -> NotebookNode:
    output = copy.deepcopy(output)
    checked = CHECK_TAG in tags(cell)
    if output.output_type == "stream" and not checked:
        output.text = sanitise(output.text)
    if output.output_type in ("display_data", "execute_result"):
        output.metadata = from_dict({})
        for kind, value in output.data.items():
            if kind.startswith("text/") and isinstance(value, str) and not checked:
                output.data[kind] = sanitise(value)
    if output.output_type == "execute_result":
        output.execution_count = cell.execution_count
    return output
