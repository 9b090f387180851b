from types import SimpleNamespace

import matplotlib as mpl
import pandas as pd
import pytest

mpl.use("agg")

from helpers import plots
from helpers.errors import UsageError
from helpers.plots import style

EXCHANGES = ["name", "type", "durable", "alternate"]
BINDINGS = ["source", "destination", "destination_type", "routing_key", "arguments"]
QUEUES = ["name", "type", "durable", "dead_letter_exchange"]


def topology(exchanges, bindings, queues, consumers=()):
    return SimpleNamespace(
        exchanges=pd.DataFrame([(*row, True, None)[:4] for row in exchanges], columns=EXCHANGES),
        bindings=pd.DataFrame(bindings, columns=BINDINGS),
        queues=pd.DataFrame([(name, "classic", True, None) for name in queues], columns=QUEUES),
        consumers=pd.DataFrame(consumers, columns=["queue", "consumer_tag"]),
    )


def to_queue(source, queue, key, arguments=None):
    return (source, queue, "queue", key, arguments or {})


def written(figure):
    return {text.get_text(): text for text in figure.axes[0].texts if text.get_text()}


def arrows(figure):
    """Return where the arrows end, as (x, row)."""
    notes = [text for text in figure.axes[0].texts if getattr(text, "arrowprops", None)]
    return [tuple(round(value, 3) for value in note.xy) for note in notes]


def row_of(figure, text):
    return round(written(figure)[text].get_position()[1], 3)


def overlaps(figure):
    """Return the pairs of texts that lie on each other."""
    figure.canvas.draw()
    texts = [text for text in figure.axes[0].texts if text.get_text()]
    boxes = [text.get_window_extent() for text in texts]
    return [
        (texts[a].get_text(), texts[b].get_text())
        for a in range(len(texts))
        for b in range(a)
        if boxes[a].overlaps(boxes[b])
    ]


def test_copies_shows_every_number_with_a_darker_tint_for_more(drawn):
    frame = pd.DataFrame({"1 queue": [1, 1], "3 queues": [1, 3]}, index=["default", "fanout"])
    plots.copies(frame)
    (axes,) = drawn[0].axes
    assert [text.get_text() for text in axes.texts] == ["1", "1", "1", "3"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1 queue", "3 queues"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["default", "fanout"]
    image = axes.images[0]
    assert image.get_array().tolist() == [[1, 1], [1, 3]]
    brightness = [sum(image.cmap(image.norm(value))[:3]) for value in (0, 1, 3)]
    assert brightness == sorted(brightness, reverse=True)
    assert len(set(brightness)) == 3
    assert drawn[0].get_suptitle() == "copies delivered of one event"
    assert axes.texts[3].get_color() == style.PAPER  # light on dark


def test_topic_matches_marks_arrivals_and_crosses_disagreements(drawn):
    measured = pd.DataFrame({"#": [True, True], "": [False, True]}, index=["document", ""])
    rule = measured.copy()
    plots.topic_matches(measured, rule)
    rule.loc["document", ""] = True
    plots.topic_matches(measured, rule)
    agreed, disputed = (
        [(line.get_marker(), *line.get_xydata()[0]) for line in figure.axes[0].lines]
        for figure in drawn
    )
    assert agreed == [("o", 0, 0), ("o", 0, 1), ("o", 1, 1)]
    cross = style.ROLES["lost"].marker
    assert sorted(set(disputed) - set(agreed)) == [(cross, 1, 0)]
    axes = drawn[0].axes[0]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["#", "(empty)"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["document", "(empty)"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == (
        "binding key of a queue",
        "routing key of an event",
    )


def test_tables_that_make_no_sense_are_refused(drawn):
    empty = pd.DataFrame()
    table = pd.DataFrame({"#": [True]}, index=["document"])
    with pytest.raises(UsageError, match="table is empty"):
        plots.copies(empty)
    with pytest.raises(UsageError, match="table is empty"):
        plots.topic_matches(empty, empty)
    with pytest.raises(UsageError, match="same routing keys and binding keys"):
        plots.topic_matches(table, table.rename(columns={"#": "*"}))
    assert drawn == []


def test_the_whiteboard_topology_is_drawn_readably(drawn):
    services = ["audit", "index", "notify"]
    live = topology(
        [("workspace", "fanout")],
        [to_queue("workspace", service, "") for service in services],
        services,
        [(service, f"{service}-{n}") for service in services for n in (1, 2, 3, 4)],
    )
    plots.topology(live)
    (figure,) = drawn
    texts = written(figure)
    replicas = {f"{service}-{n}" for service in services for n in (1, 2, 3, 4)}
    assert replicas | {*services, "workspace\nfanout", "(empty)"} <= set(texts)
    assert {"exchange", "binding key", "queue", "consumer"} <= set(texts)
    assert "no consumer" not in texts
    assert len(arrows(figure)) == 3 + 12
    assert len(figure.axes[0].patches) == 1 + 3 + 12
    for service in services:  # a queue stands in the middle of its consumers
        rows = [row_of(figure, f"{service}-{n}") for n in (1, 2, 3, 4)]
        assert rows == sorted(rows)
        assert row_of(figure, service) == pytest.approx(sum(rows) / 4)
    assert overlaps(figure) == []
    assert figure.get_suptitle() == "live topology: exchanges, bindings, queues, consumers"


def test_each_binding_has_its_own_arrow_and_key(drawn):
    live = topology(
        [("by header", "headers"), ("workspace", "topic")],
        [
            to_queue("by header", "audit", "", {"x-match": "all", "event": "x"}),
            to_queue("workspace", "audit", "document.*"),
            to_queue("workspace", "index", "document.create"),
        ],
        ["audit", "index"],
    )
    plots.topology(live)
    (figure,) = drawn
    assert {"x-match=all, event=x", "document.*", "document.create"} <= set(written(figure))
    ends = arrows(figure)
    assert len(ends) == len(set(ends)) == 3
    assert row_of(figure, "audit") == pytest.approx((ends[0][1] + ends[1][1]) / 2)
    assert [text.get_text() for text in figure.axes[0].texts].count("no consumer") == 2
    assert overlaps(figure) == []


def test_unbound_queues_hang_on_the_default_exchange_and_idle_exchanges_are_left_out(drawn):
    live = topology(
        [("idle", "topic"), ("workspace", "topic")],
        [to_queue("workspace", "index", "#")],
        ["index", "jobs"],
    )
    plots.topology(live)
    (figure,) = drawn
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "(default)\ndirect" in texts
    assert texts.count("jobs") == 2  # the queue and the key that leads to it
    assert not any("idle" in text for text in texts)


def test_detours_between_exchanges_are_dashed_and_lead_downwards(drawn):
    live = topology(
        [("archive", "fanout"), ("unrouted", "fanout"), ("workspace", "topic", True, "unrouted")],
        [
            to_queue("archive", "archive", ""),
            to_queue("unrouted", "lost", ""),
            ("workspace", "archive", "exchange", "document.#", {}),
        ],
        ["archive", "lost"],
    )
    plots.topology(live)
    (figure,) = drawn
    assert {"alternate", "document.#", "workspace\ntopic"} <= set(written(figure))
    dashed = [
        note.arrow_patch
        for note in figure.axes[0].texts
        if getattr(note, "arrow_patch", None) and note.arrow_patch.get_linestyle() == "--"
    ]
    assert len(dashed) == 2
    assert row_of(figure, "workspace\ntopic") < row_of(figure, "unrouted\nfanout")


def test_long_names_are_shortened_and_no_queues_are_an_error(drawn):
    name = "workspace.document.thumbnails.v2"
    plots.topology(topology([], [], [name]))
    assert "workspace.document.thum…" in written(drawn[0])
    with pytest.raises(UsageError, match="no queues"):
        plots.topology(topology([("workspace", "topic")], [], []))
    assert len(drawn) == 1
