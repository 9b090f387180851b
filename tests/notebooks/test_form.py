"""Normalise notebooks, read their claims, refresh them and the README's table."""

import base64
import copy
from dataclasses import replace

import pytest
from nbformat import NotebookNode, from_dict, reads, v4, write, writes

from helpers import broker
from helpers.claims.card import Row, without_here
from helpers.errors import UsageError
from helpers.rabbitmq.generations import GENERATIONS
from helpers.suite.notebooks import (
    CHECK_TAG,
    SURPRISE_TAG,
    Claim,
    claim_ids,
    commands,
    figure,
    find,
    normalise,
    readme_table,
    sanitise,
    stored_claims,
    title,
    write_readme_table,
)
from helpers.suite.notebooks.commands import run_notebooks
from helpers.suite.notebooks.figure import write_readme_figure
from tests.support.cards import card, shown
from tests.support.tiny_notebooks import CHECK, checkout, claim_notebook, code, prose

__all__ = ["checkout"]


# normalise and sanitise -------------------------------------------------------------------------


def messy() -> NotebookNode:
    check = code("0a1b2c3d", CHECK.format(1), CHECK_TAG)
    check.outputs = [shown(replace(card(), evidence="One queue, at 0xabcdef12."))]
    table = code("9f8e7d6c", "def show_table():\n    pass\n\nshow_table()")
    table.metadata.update(execution={"iopub.status.busy": "2026-01-01T00:00:00Z"}, collapsed=True)
    table.outputs = [
        v4.new_output(
            "execute_result",
            data={"text/plain": "<T at 0xabcdef12>", "image/png": "/tmp/0xabcdef12"},
            execution_count=12,
            metadata={"image/png": {"width": 3}},
        ),
        v4.new_output("stream", name="stdout", text="vhost q02-1a2b3c4d\n"),
    ]
    unrun = code("ready", "x = 1")
    check.execution_count, table.execution_count = 7, 12
    nb = v4.new_notebook(
        cells=[prose("## Short answer"), check, table, unrun, prose("é"), prose("# Q")]
    )
    nb.cells += [code("ready", "y = 2"), code("7b0f6a52-1c1d-4b7e-9d1a-0123456789ab", "z = 3")]
    nb.metadata = from_dict({"widgets": {}, "language_info": {"name": "python", "version": "3"}})
    return nb


def test_normalise_removes_the_traces_of_a_run():
    nb = messy()
    before = copy.deepcopy(nb)
    new = normalise(nb)
    assert nb == before
    assert [cell.id for cell in new.cells] == [
        "short-answer",
        "check-q02-1",
        "show-table",
        "ready",
        "markdown",
        "markdown-q",
        "ready-2",
        "z-3",
    ]
    assert new.metadata.language_info == {"name": "python"}
    assert new.metadata.kernelspec.name == "python3"
    assert "widgets" not in new.metadata
    _, check, table, unrun, *_ = new.cells
    assert (check.execution_count, table.execution_count, unrun.execution_count) == (1, 2, None)
    assert check.metadata == {"tags": [CHECK_TAG]}
    assert check.outputs == [shown(replace(card(), evidence="One queue, at 0xabcdef12."))]
    assert table.metadata == {}
    assert table.outputs[0].execution_count == 2
    assert table.outputs[0].metadata == {}
    assert table.outputs[1].text == "vhost q02-…\n"
    assert table.outputs[0].data == {
        "text/plain": "<T at 0x…>",
        "image/png": "/tmp/0xabcdef12",
    }


def test_normalising_again_changes_nothing():
    once = normalise(messy())
    assert normalise(once) == once
    assert normalise(reads(writes(once), as_version=4)) == once


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("<object at 0x7f0a1b2c3d4e>", "<object at 0x…>"),
        ("/ipykernel_4711/123.py:1", "/ipykernel/cell.py:1"),
        ("scratch vhost q02-1a2b3c4d", "scratch vhost q02-…"),
        ("consumer ctag1.0123456789abcdef0123456789abcdef", "consumer ctag1.…"),
        ("queue amq.gen-Xa9_bC-dEfGhIjKlMnOpQr", "queue amq.gen-…"),
        ("at 127.0.0.1:35672 and localhost:5672", "at 127.0.0.1:port and localhost:port"),
        ("40 of 40 in 12.5 s, 0x10, q02.1, 4.3.6, 12:34:56", None),
    ],
)
def test_sanitise_hides_generated_names_and_no_numbers(text, clean):
    expected = text if clean is None else clean
    assert sanitise(text) == expected
    assert sanitise(expected) == expected


# claims, titles and the README --------------------------------------------------------------------


def test_claims_are_read_from_code_and_from_tagged_outputs():
    rows = (
        Row("own queues", "40 copies", "40 copies", "✓ as said"),
        Row("shared", "at most 2 times", "above 2 times", "✗ not so", "20 times"),
    )
    condition = "holds if each has its own"
    evidence = "One queue gave 40 copies."
    tagged, untagged = code("one", CHECK.format(7), CHECK_TAG), code("two", "%%bash\n(")
    for cell in (tagged, untagged):
        cell.outputs = [
            v4.new_output("stream", name="stdout", text="q03.1 holds\n"),
            shown(card("q03.2", said=condition, rows=rows)),
            shown(replace(card("q03.3"), note="2026-01-31 with Database 15.1")),
        ]
    nb = v4.new_notebook(cells=[tagged, untagged, prose('claims.check("q02.9")')])
    assert [claim_ids(cell) for cell in nb.cells] == [["q02.7"], [], []]
    (claim,) = stored_claims(nb)
    text = repr(card("q03.2", said=condition, rows=rows))
    assert claim == Claim("q03.2", condition, evidence, without_here(text))
    assert "20 times" in text
    assert "20 times" not in claim.text
    assert claim.measured == [("own queues", "40 copies"), ("shared", "above 2 times")]


def test_title_is_the_question():
    assert title(v4.new_notebook(cells=[prose("# Q2 · What? \n\nsenior, 20 min")])) == "What?"
    for cells in ([], [prose("# What?")]):
        with pytest.raises(UsageError, match="begins with a line like"):
            title(v4.new_notebook(cells=cells))


def test_the_table_has_the_notebooks_and_their_stored_verdicts(checkout):
    head = readme_table(checkout).splitlines()
    assert len(head) == 2
    path = claim_notebook(checkout)
    assert run_notebooks(root=checkout)
    link = "| 2 | [Message queue or bus?](notebooks/q02_tiny.ipynb) | 2 | 0 | 0 |"
    lines = [*head, f"{link} “Each message goes to one consumer”: holds |"]
    assert readme_table(checkout).splitlines() == lines
    assert "\n".join(["begin -->", *lines, "<!--"]) in (checkout / "README.md").read_text("utf-8")
    assert not write_readme_table(checkout)
    path.write_text(path.read_text().replace(f'"{SURPRISE_TAG}"', '"experiment"'))
    assert readme_table(checkout).splitlines() == [*head, f"{link}  |"]
    path.with_name("q02_other.ipynb").write_text("{}")
    with pytest.raises(UsageError, match=r"q02_other\.ipynb and q02_tiny\.ipynb have the same num"):
        readme_table(checkout)


def test_a_readme_without_marks_is_refused(checkout):
    (checkout / "README.md").write_text("# Lab")
    with pytest.raises(UsageError, match="needs the marks"):
        write_readme_table(checkout)
    (checkout / "README.md").unlink()
    with pytest.raises(UsageError, match="needs the marks"):
        write_readme_table(checkout)


def test_the_readme_figure_follows_the_notebook(checkout):
    assert not write_readme_figure(checkout)
    shown = v4.new_output("display_data", {"image/png": base64.b64encode(b"a figure").decode()})
    drawn = v4.new_code_cell("plots.sweep()", id=figure.CELL, outputs=[shown], execution_count=1)
    path = checkout / "notebooks" / figure.NOTEBOOK
    write(v4.new_notebook(cells=[drawn]), path)
    assert write_readme_figure(checkout)
    assert (checkout / figure.FILE).read_bytes() == b"a figure"
    assert not write_readme_figure(checkout)
    write(v4.new_notebook(), path)
    with pytest.raises(UsageError, match="no figure in a cell"):
        write_readme_figure(checkout)


# refresh ------------------------------------------------------------------------------------------


def test_refresh_writes_the_same_bytes_each_time(checkout, capsys):
    path = claim_notebook(checkout)
    assert run_notebooks(["q02"], root=checkout)
    first = path.read_bytes()
    assert [claim.id for claim in stored_claims(reads(first.decode(), as_version=4))] == [
        "q02.1",
        "q02.2",
    ]
    assert run_notebooks([str(path)], root=checkout)
    assert path.read_bytes() == first
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["q02_tiny"] * 2
    assert sorted(file.name for file in path.parent.iterdir()) == ["q02_tiny.ipynb"]


def test_refresh_leaves_a_failing_notebook_alone_and_prints_the_numbers(checkout, capsys):
    path = claim_notebook(checkout, copies=20)
    before = path.read_bytes()
    assert not run_notebooks(root=checkout)
    assert path.read_bytes() == before
    printed = capsys.readouterr().out
    assert "failed, not written" in printed
    assert "q02.1 (check-q02-1): ClaimFailedError" in printed
    assert "measured 20" in printed


def test_check_compares_and_writes_nothing(checkout, shared_broker, capsys):
    path = claim_notebook(checkout)
    assert not run_notebooks(check=True, root=checkout)
    assert "stored:\n  nothing" in capsys.readouterr().out
    assert run_notebooks(root=checkout)
    assert run_notebooks(check=True, root=checkout)
    nb = reads(path.read_text(), as_version=4)
    nb.cells[2].outputs = [shown(card(copies=39))]
    path.write_text(writes(nb))
    changed = path.read_bytes()
    capsys.readouterr()
    assert not run_notebooks(["q02"], check=True, root=checkout)
    printed = capsys.readouterr().out
    old, new = (repr(card(copies=copies)).replace("\n", "\n  ") for copies in (39, 40))
    assert f"  stored:\n  {old}\n  now:\n  {new}\n" in printed
    assert path.read_bytes() == changed


def test_check_names_a_generation_that_is_not_recorded(checkout, monkeypatch, capsys):
    claim_notebook(checkout)
    monkeypatch.setattr(broker, "generation", lambda: "99.4")
    monkeypatch.setattr(commands, "compare", lambda *_, **__: True)
    assert run_notebooks(check=True, root=checkout)
    note = f"RabbitMQ 99.4: not recorded, compared with {GENERATIONS[-1]}\n"
    assert capsys.readouterr().out == note


def test_an_unknown_notebook_is_refused_in_one_sentence(checkout):
    claim_notebook(checkout)
    with pytest.raises(UsageError, match=r"^there is no notebook 'q11'; there are: q02_tiny$"):
        run_notebooks(["q11"], root=checkout)
    assert find(["q02", "q02_tiny"], root=checkout) == find(root=checkout)
