import time

import pytest

from helpers.errors import RabbitLabError, WaitTimeoutError
from helpers.waits import wait_until


def test_returns_the_first_true_result():
    answers = iter([0, [], "ready", "later"])
    assert wait_until(lambda: next(answers), timeout_s=1, what="an answer") == "ready"


def test_looks_once_even_without_time():
    assert wait_until(lambda: 7, timeout_s=0, what="seven") == 7


def test_error_at_the_deadline_has_the_last_value():
    start = time.monotonic()
    with pytest.raises(
        WaitTimeoutError, match=r"0\.05 s waiting for 3 messages in the DLQ; last value: 2"
    ):
        wait_until(lambda: _Falsy(2), timeout_s=0.05, what="3 messages in the DLQ")
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("last", [False, None])
def test_a_last_value_that_says_nothing_is_left_out(last):
    with pytest.raises(WaitTimeoutError, match=r"^timed out after 0 s waiting for an end$"):
        wait_until(lambda: last, timeout_s=0, what="an end")


class _Falsy(int):
    def __bool__(self):
        return False


def test_a_timeout_is_a_rabbit_lab_error_and_a_timeout_error():
    assert issubclass(WaitTimeoutError, RabbitLabError)
    assert issubclass(WaitTimeoutError, TimeoutError)
