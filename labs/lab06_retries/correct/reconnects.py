"""Connects again by itself, after five seconds."""

import random
import time
import urllib.error
import urllib.request

import pika

SENT, REFUSED, TRY_LATER = 202, 400, 503
KEEP_MS = 600_000  # an idle queue goes away long after its last message has left


def declare(url, base_s, retries):
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        for queue in ("notify", "dlq"):
            channel.queue_declare(queue, durable=True, arguments={"x-queue-type": "quorum"})


def run_worker(url, provider, base_s, retries, budget):
    while True:
        try:
            with pika.BlockingConnection(pika.URLParameters(url)) as connection:
                work(connection.channel(), provider, base_s, retries, budget)
        except pika.exceptions.AMQPError as error:
            print("connecting again:", error)
            time.sleep(5)


def work(channel, provider, base_s, retries, budget):
    channel.confirm_delivery()
    channel.basic_qos(prefetch_count=1)
    spent = 0
    for method, properties, body in channel.consume("notify"):
        status = send_mail(provider, body)
        tries = 1 + ((properties.headers or {}).get("tries") or 0)
        properties.headers = {"tries": tries}
        if status == SENT:
            spent = 0
        elif status == TRY_LATER and tries <= retries and spent < budget:
            spent += 1
            least_ms = 1000 * base_s * 2 ** (tries - 1)
            queue = wait_queue(channel, round(random.uniform(least_ms, 2 * least_ms)))
            channel.basic_publish("", queue, body, properties, mandatory=True)
        else:
            channel.basic_publish("", "dlq", body, properties, mandatory=True)
        channel.basic_ack(method.delivery_tag)


def wait_queue(channel, wait_ms):
    name = f"wait.{wait_ms}"
    arguments = {
        "x-message-ttl": wait_ms,
        "x-expires": wait_ms + KEEP_MS,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": "notify",
    }
    channel.queue_declare(name, durable=True, arguments=arguments)
    return name


def send_mail(provider, body):
    request = urllib.request.Request(f"{provider}/mails", body, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code
