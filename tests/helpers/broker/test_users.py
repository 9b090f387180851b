"""A user of its own for an experiment about permissions."""

import pytest

from helpers import broker
from helpers.errors import BrokerRefusedError

NOTHING = {"configure": "", "write": "", "read": ""}


def names():
    return [user["name"] for user in broker.api("GET", "users")]


def test_user_has_no_permission_until_one_is_granted(channel):
    with broker.user("bill") as bill:
        with pytest.raises(BrokerRefusedError, match="refused user"):
            broker.connect(credentials=bill)
        broker.api("PUT", "permissions/{vhost}/" + bill.username, NOTHING)
        with broker.connect(credentials=bill) as connection:
            assert connection.is_open
    assert bill.username not in names()


def test_user_is_removed_after_an_error(channel):
    with pytest.raises(ZeroDivisionError), broker.user("bill") as bill:
        assert bill.username in names()
        _ = 1 / 0
    assert bill.username not in names()
