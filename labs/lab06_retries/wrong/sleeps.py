"""Sleeps in the handler, then tries again.

Breaks: d (waits-in-handler), e (memory-set)
Not seen: c
"""

import random
import time
import urllib.error
import urllib.request

import pika

SENT, REFUSED, TRY_LATER = 202, 400, 503


def declare(url, base_s, retries):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.queue_declare("dlq", durable=True)
    to_dlq = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": "dlq"}
    channel.queue_declare("notify", durable=True, arguments=to_dlq)
    connection.close()


def run_worker(url, provider, base_s, retries, budget):
    connection = pika.BlockingConnection(pika.URLParameters(url))
    channel = connection.channel()
    channel.basic_qos(prefetch_count=1)
    left = budget

    def on_message(channel, method, properties, body):
        nonlocal left
        for retry in range(retries + 1):
            status = send_mail(provider, body)
            if status == SENT:
                left = budget
                channel.basic_ack(method.delivery_tag)
                return
            if status == REFUSED or retry == retries or not left:
                break
            left -= 1
            time.sleep(base_s * 2**retry * random.uniform(1, 2))
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
