"""The worker holds what waits, and a timer of its connection sends the copy."""

import random
import urllib.error
import urllib.request

import pika

SENT, REFUSED, TRY_LATER = 202, 400, 503


def declare(url, base_s, retries):
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.queue_declare("dlq", durable=True)
        channel.queue_declare("notify", durable=True)


class Worker:
    def __init__(self, url, provider, base_s, retries, budget):
        self.provider, self.base_s, self.retries, self.budget = provider, base_s, retries, budget
        self.left = budget
        self.connection = pika.BlockingConnection(pika.URLParameters(url))
        self.channel = self.connection.channel()
        self.channel.confirm_delivery()

    def run(self):
        self.channel.basic_consume("notify", self.got)
        self.channel.start_consuming()

    def got(self, channel, method, properties, body):
        status = send_mail(self.provider, body)
        tries = 1 + (properties.headers or {}).get("tries", 0)
        copy = pika.BasicProperties(delivery_mode=2, headers={"tries": tries})

        def pass_on(queue):
            channel.basic_publish("", queue, body, copy, mandatory=True)
            channel.basic_ack(method.delivery_tag)

        if status == SENT:
            self.left = self.budget
            channel.basic_ack(method.delivery_tag)
        elif status == TRY_LATER and tries <= self.retries and self.left:
            self.left -= 1
            wait_s = self.base_s * 2 ** (tries - 1) * random.uniform(1, 2)
            self.connection.call_later(wait_s, lambda: pass_on("notify"))
        else:
            pass_on("dlq")


def run_worker(url, provider, base_s, retries, budget):
    Worker(url, provider, base_s, retries, budget).run()


def send_mail(provider, body):
    request = urllib.request.Request(f"{provider}/mails", body, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=10) as response:
            return response.status
    except urllib.error.HTTPError as error:
        return error.code
