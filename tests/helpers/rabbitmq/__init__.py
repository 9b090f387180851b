"""Tests of `helpers.rabbitmq`."""
