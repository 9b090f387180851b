"""Lets new mails wait for ten minutes at most.

Breaks: h (old-may-go)
"""

import random
import urllib.error
import urllib.request

import pika

SENT, REFUSED, TRY_LATER = 202, 400, 503
SPREAD = (1.0, 1.25, 1.5, 1.75, 2.0)


def declare(url, base_s, retries):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.queue_declare("dlq", durable=True)
    to_dlq = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dlq"}
    channel.queue_declare("notify", durable=True, arguments=to_dlq | {"x-message-ttl": 600_000})
    back = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "notify"}
    for retry in range(1, retries + 1):
        for share in SPREAD:
            ttl_ms = round(1000 * base_s * 2 ** (retry - 1) * share)
            arguments = back | {"x-message-ttl": ttl_ms}
            channel.queue_declare(f"wait.{retry}.{share}", durable=True, arguments=arguments)
    connection.close()


def run_worker(url, provider, base_s, retries, budget):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.confirm_delivery()
    channel.basic_qos(prefetch_count=1)
    left = budget

    def on_message(channel, method, properties, body):
        nonlocal left
        status = send_mail(provider, body)
        headers = properties.headers or {}
        retry = headers.get("retry", 0) + 1
        if status == SENT:
            left = budget
            channel.basic_ack(method.delivery_tag)
        elif status == TRY_LATER and retry <= retries and left > 0:
            left -= 1
            properties.headers = headers | {"retry": retry}
            queue = f"wait.{retry}.{random.choice(SPREAD)}"
            channel.basic_publish("", queue, body, properties, mandatory=True)
            channel.basic_ack(method.delivery_tag)
        else:
            channel.basic_reject(method.delivery_tag, requeue=False)

    channel.basic_consume("notify", on_message, auto_ack=False)
    channel.start_consuming()


def send_mail(provider, body):
    request = urllib.request.Request(f"{provider}/mails", body, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code
