"""Tests of the drawing of the live topology: places, arrows, labels."""

from types import SimpleNamespace

import matplotlib as mpl
import pandas as pd
import pytest

mpl.use("agg")

from helpers import plots
from helpers.errors import UsageError

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
    """Return the ends of the arrows as (x, row)."""
    notes = [text for text in figure.axes[0].texts if getattr(text, "arrowprops", None)]
    return [tuple(round(value, 3) for value in note.xy) for note in notes]


def row_of(figure, text):
    return round(written(figure)[text].get_position()[1], 3)


def overlaps(figure):
    """Return the pairs of texts that overlap."""
    figure.canvas.draw()
    texts = [text for text in figure.axes[0].texts if text.get_text()]
    boxes = [text.get_window_extent() for text in texts]
    return [
        (texts[a].get_text(), texts[b].get_text())
        for a in range(len(texts))
        for b in range(a)
        if boxes[a].overlaps(boxes[b])
    ]


def test_the_texts_of_a_whole_topology_do_not_overlap(drawn):
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
    assert replicas | {*services, "workspace\nfanout"} <= set(texts)
    assert {"exchange", "queue", "consumer"} <= set(texts)
    assert not {"binding key", "(empty)", ""} & set(texts)  # a fanout exchange compares no keys
    assert "no consumer" not in texts
    assert len(arrows(figure)) == 3 + 12
    assert len(figure.axes[0].patches) == 1 + 3 + 12
    for service in services:  # a queue stands in the middle of its consumers
        rows = [row_of(figure, f"{service}-{n}") for n in (1, 2, 3, 4)]
        assert rows == sorted(rows)
        assert row_of(figure, service) == pytest.approx(sum(rows) / 4)
    assert overlaps(figure) == []
    assert figure.get_suptitle() == "live topology: exchanges, bindings, queues, consumers"


def test_an_empty_key_is_named_where_it_is_compared(drawn):
    exchanges = [("workspace", "topic"), ("all", "fanout")]
    bindings = [to_queue("workspace", "index", ""), to_queue("all", "audit", "")]
    plots.topology(topology(exchanges, bindings, ["index", "audit"]))
    (axes,) = drawn[0].axes
    assert [text.get_text() for text in axes.texts].count("(empty)") == 1
    assert "binding key" in written(drawn[0])


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


def typo():
    keys = {"index": "document.created", "notify": "document.create"}
    bindings = [to_queue("workspace", queue, key) for queue, key in keys.items()]
    return topology([("workspace", "topic")], bindings, list(keys))


def test_messages_that_arrived_stand_where_the_consumers_do(drawn):
    published = "10 messages\ndocument.created"
    plots.topology(typo(), published=published, arrived={"index": 1, "notify": 0})
    (figure,) = drawn
    texts = written(figure)
    assert {published, "published", "arrived", "1 message", "0 messages"} <= set(texts)
    assert not {"consumer", "no consumer"} & set(texts)
    assert row_of(figure, "1 message") == row_of(figure, "index")
    assert row_of(figure, "0 messages") == row_of(figure, "notify")
    assert overlaps(figure) == []
    assert figure.get_suptitle().endswith("queues, messages that arrived")


def test_a_queue_that_got_nothing_hangs_on_a_dotted_arrow_and_a_bold_key(drawn):
    plots.topology(typo(), arrived={"index": 10, "notify": 0})
    (figure,) = drawn
    notes = [text for text in figure.axes[0].texts if getattr(text, "arrow_patch", None)]
    assert [note.arrow_patch.get_linestyle() for note in notes] == ["-", ":"]
    texts = written(figure)
    keys = [texts["document.created"], texts["document.create"]]
    assert [key.get_weight() for key in keys] == ["normal", "bold"]
    assert len({key.get_position()[0] for key in keys}) == 1  # so that letters can be compared


def test_long_names_are_shortened_and_no_queues_are_an_error(drawn):
    name = "workspace.document.thumbnails.v2"
    plots.topology(topology([], [], [name]))
    assert "workspace.document.thum…" in written(drawn[0])
    with pytest.raises(UsageError, match="no queues"):
        plots.topology(topology([("workspace", "topic")], [], []))
    with pytest.raises(UsageError, match="arrived lacks the queues notify"):
        plots.topology(typo(), arrived={"index": 10})
    assert len(drawn) == 1
