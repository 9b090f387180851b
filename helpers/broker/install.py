"""Install RabbitMQ with apt as root on Debian or Ubuntu; name the other ways to a broker."""

import platform

from helpers.errors import BrokerNotFoundError
from helpers.machine import apt
from helpers.rabbitmq.server import server_script

SOURCE = "apt"
PACKAGE = "rabbitmq-server"


def why_not() -> str | None:
    """Return why RabbitMQ cannot be installed from here, or None when it can."""
    return apt.why_not()


def install() -> None:
    """Install RabbitMQ with apt-get; its system service is not started.

    Raises:
        BrokerNotFoundError: apt-get fails; the message holds its last line.
    """
    try:
        apt.ensure(PACKAGE, is_missing=lambda: server_script() is None)
    except apt.AptError as error:
        raise BrokerNotFoundError(f"{error}; {ways_to_get_one()}") from None


def ways_to_get_one() -> str:
    """Return, in one sentence, how to get a broker on this system."""
    if apt.has_apt():
        local = f"`sudo apt-get install {PACKAGE}` (its system service may stay stopped)"
    elif platform.system() == "Darwin":
        local = "`brew install rabbitmq`"
    else:
        local = f"install {PACKAGE} with this system's package manager"
    return (
        f"there is no broker here and none can be started: {local}; or start Docker with its"
        " compose plugin; or set AMQP_URL=amqp://user:password@host:5672/%2F to one that runs"
        " elsewhere"
    )
