"""Publishers under load: how they are waited for, and when each was served."""

import threading

import pytest

from helpers import underload
from helpers.errors import RabbitLabError, WaitTimeoutError
from helpers.history import History


def writing(history, name):
    confirmed = history.writer("confirm", actor=name)

    def publish(stop):
        number = 0
        while not stop.wait(0.001):
            confirmed(f"{name} {number}")
            number += 1

    return publish


def test_they_publish_until_the_end_of_the_block():
    history = History()
    one, two = writing(history, "one"), writing(history, "two")
    with underload.publishing({"one": [one, one], "two": [two]}, history) as load:
        load.wait_for_confirms(["one", "two"], 5, timeout_s=10)
        with pytest.raises(WaitTimeoutError, match="1 more confirms of three"):
            load.wait_for_confirms(["three"], 1, timeout_s=0.05)
    before = len(history)
    assert load.confirms(["one"])["one"] >= 5
    assert load.gained({"one": 0, "two": 0})["two"] >= 5
    assert len(history) == before


def test_failed_publisher_is_an_error():
    def fails(stop):
        raise ValueError("no")

    failed = pytest.raises(RabbitLabError, match="failed: ValueError")
    with failed, underload.publishing({"one": [fails]}, History()):
        pass


def test_publisher_that_does_not_stop_is_an_error(monkeypatch):
    monkeypatch.setattr(underload, "GOODBYE_S", 0.05)
    for_ever = threading.Event()
    stuck = pytest.raises(RabbitLabError, match=r"still publishing after .* s: one")
    with stuck, underload.publishing({"one": [lambda stop: for_ever.wait(5)]}, History()):
        pass
    for_ever.set()


def test_served_has_the_periods_with_confirms():
    history = History()
    rows = history.rows("confirm", actor="one")
    rows += [(history._start + t_s, "x", False) for t_s in (1.0, 1.1, 1.2, 3.0, 3.2)]
    frame = underload.served(history, ["one", "two"], since_s=2.0)
    assert frame.to_dict("list") == {
        "publisher": ["one", "one"],
        "from_s": [-1.0, 1.0],
        "to_s": [-0.8, 1.2],
    }
    assert underload.longest_gap_s(frame, "one") == pytest.approx(1.8)
    assert underload.longest_gap_s(frame, "two") == 0
