"""A submission cannot log in as the administrator of the private node with a known password."""

import pytest

from helpers import broker
from helpers.rabbitmq import shared_node
from tests.labs.conftest import Try

SPY = """
    from urllib.parse import urlsplit
    import pika

    def run(url, store):
        address = urlsplit(url)
        seen = {}
        for user, password in (("guest", "guest"), ("admin", "admin"), ("admin", "guest")):
            login = pika.PlainCredentials(user, password)
            wanted = pika.ConnectionParameters(address.hostname, address.port, credentials=login)
            try:
                pika.BlockingConnection(wanted).close()
                seen[f"{user}/{password}"] = "logged in"
            except pika.exceptions.AMQPError as error:
                seen[f"{user}/{password}"] = type(error).__name__
        return seen
"""


def test_guest_is_refused(attempt: Try, shared_broker: broker.Broker):
    if shared_broker.source != shared_node.SOURCE:
        pytest.skip("the broker is not a private node")
    trial = attempt(SPY)
    trial.fresh()
    seen = trial.call("run", trial.url, trial.store)
    assert set(seen) == {"guest/guest", "admin/admin", "admin/guest"}
    assert set(seen.values()) == {"ProbableAuthenticationError"}
    names = [user["name"] for user in broker.api("GET", "users")]
    assert "guest" not in names
