"""A message that is published again: the judge follows it by its body, whatever id the copy has."""

from pika import BasicProperties

from labs.judge.trial import Trial
from tests.labs.conftest import Try

COPIES = """
    import uuid
    import pika

    def run(url):
        channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
        for method, properties, body in channel.consume("jobs"):
            if properties.message_id == "job-1":
                copy = pika.BasicProperties(message_id=uuid.uuid4().hex)
                channel.basic_publish("", "jobs", body, copy)
            channel.basic_ack(method.delivery_tag)
"""


def play(trial: Trial) -> None:
    trial.fresh().queue_declare("jobs", durable=True)
    trial.channel.basic_publish("", "jobs", b"job 1", BasicProperties(message_id="job-1"))
    trial.start("run", trial.url, name="worker")
    assert trial.watch.settle(lambda: trial.watch.count("after ack") == 2)


def test_a_copy_is_the_same_message_where_the_check_names_it_by_its_body(attempt: Try):
    trial = attempt(COPIES)
    trial.name_of = lambda body: "job-1" if body == "job 1" else ""
    play(trial)
    assert trial.watch.count("after ack", "job-1") == 2
    assert trial.history.story("job-1") == (
        "message job-1: delivered to worker → published → acked → delivered to worker again → acked"
    )


def test_a_copy_has_its_own_name_where_no_check_names_it(attempt: Try):
    trial = attempt(COPIES)
    play(trial)
    assert trial.watch.count("after ack", "job-1") == 1
