import threading
import time

import pytest

from helpers.errors import UsageError
from helpers.history import History


def history(*events):
    made = History()
    for kind, message, *actor in events:
        made.record(kind, message, actor=actor[0] if actor else "")
    return made


def published(n, *more):
    base = [(kind, m) for m in range(n) for kind in ("publish", "confirm")]
    return history(*base, *more)


def effects(*messages):
    return [("effect", m) for m in messages]


def test_a_clean_history():
    summary = published(3, *effects(0, 1, 2)).summary()
    assert repr(summary) == (
        "3 published, 3 worked on: 0 lost, 0 duplicated, 0 reordered, 0 unexpected, 0 recovered"
    )


def test_lost_is_confirmed_and_never_worked_on():
    assert published(3, *effects(0, 2)).summary().lost == ("1",)


def test_message_still_in_a_queue_is_not_lost():
    assert published(3, *effects(0)).summary(remaining=[1, "2"]).lost == ()


def test_unconfirmed_is_neither_lost_nor_certain():
    made = published(2, ("publish", 2), ("publish", 3), *effects(0, 1, 3))
    summary = made.summary()
    assert summary.lost == ()
    assert summary.recovered == ("3",)


def test_without_confirms_publishing_is_all_there_is():
    made = history(("publish", 0), ("publish", 1), *effects(0))
    assert made.summary().lost == ("1",)
    assert made.summary().recovered == ()


def test_duplicated_unexpected_and_reordered():
    summary = published(4, *effects(0, 2, 1, 2, 9, 3)).summary()
    assert summary.duplicated == ("2",)
    assert summary.unexpected == ("9",)
    assert summary.reordered == ("1",)


def test_a_duplicate_is_not_also_out_of_order():
    assert published(3, *effects(0, 1, 2, 0)).summary().reordered == ()


def test_acks_count_as_work_where_there_are_no_effects():
    made = published(2, ("ack", 0), ("ack", 0))
    assert made.summary().duplicated == ("0",)
    assert made.summary().lost == ("1",)


def test_a_story_is_the_sequence_of_events_of_one_message():
    made = published(
        1,
        ("deliver", 0, "a"), ("effect", 0, "a"), ("crash", 0, "a"),
        ("deliver", 0, "b"), ("effect", 0, "b"), ("ack", 0, "b"),
    )  # fmt: skip
    assert made.story(0) == (
        "message 0: published → confirmed → delivered to a → effect → a killed "
        "→ delivered to b again → effect again → acked"
    )


def test_a_story_tells_where_the_work_stopped_and_that_it_was_skipped():
    made = history(
        ("publish", 0), ("key", 0), ("begin", 0, "a"), ("crash", 0, "a"), ("skip", 0, "b")
    )  # fmt: skip
    assert made.story(0) == "message 0: published → key committed → begun → a killed → skipped"
    assert made.summary().lost == ("0",)


def test_story_has_details_and_names_unseen_messages():
    made = History()
    made.record("dead-letter", "7", detail="rejected")
    assert made.story(7) == "message 7: dead-lettered (rejected)"
    assert made.story(8) == "message 8: never seen"


def test_the_frame_has_one_row_an_event():
    made = History()
    made.record("deliver", 5, actor="index", redelivered=True)
    frame = made.frame()
    assert frame.columns.tolist() == ["t_s", "kind", "message", "actor", "redelivered", "detail"]
    assert frame.loc[0, ["kind", "message", "actor"]].tolist() == ["deliver", "5", "index"]
    assert frame.loc[0, "redelivered"]
    assert 0 <= frame.loc[0, "t_s"] < 5
    assert repr(made) == "History(1 deliver)"
    assert History().frame().empty


def test_a_shared_list_counts_while_its_owner_appends():
    made = published(1)
    rows = []
    for kind in ("deliver", "effect"):
        made.share(kind, rows, actor="index")
    rows.append((time.perf_counter(), 0, True))
    assert [(e.kind, e.message, e.actor, e.redelivered) for e in made.events(message=0)[2:]] == [
        ("deliver", "0", "index", True),
        ("effect", "0", "index", False),
    ]
    assert len(made) == 4
    assert repr(made) == "History(1 publish, 1 confirm, 1 deliver, 1 effect)"
    with pytest.raises(UsageError, match="'sent' is not an event"):
        made.share("sent", rows, actor="index")


def test_events_can_be_picked():
    made = published(2, *effects(1))
    assert [e.message for e in made.events("effect")] == ["1"]
    assert [e.kind for e in made.events(message=1)] == ["publish", "confirm", "effect"]


def test_an_unknown_kind_is_refused():
    with pytest.raises(UsageError, match="'sent' is not an event"):
        History().record("sent", 1)


def test_threads_lose_no_event():
    made = History()
    threads = [
        threading.Thread(target=lambda: [made.record("effect", m) for m in range(2000)])
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
    assert len(made) == 8000
    times = [event.t_s for event in made.events()]
    assert times == sorted(times)
