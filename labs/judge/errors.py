"""Errors that leave a submission without a verdict."""

from helpers.errors import RabbitLabError


class OutOfTimeError(RabbitLabError):
    """The whole check exceeded its time limit."""


class UnusableError(RabbitLabError):
    """The submission cannot be judged at all; the message says why."""
