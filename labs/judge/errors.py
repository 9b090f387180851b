"""Why a submission cannot be judged."""

from helpers.errors import RabbitLabError


class OutOfTimeError(RabbitLabError):
    """The check as a whole took longer than it may."""


class UnusableError(RabbitLabError):
    """The submission cannot be judged at all; the message says why."""
