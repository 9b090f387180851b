"""Installing what is missing with apt, as root on Debian or Ubuntu: ``make test`` does it."""

from helpers.machine import apt
from helpers.services import kafka, postgresql, prometheus
from helpers.services.private import switched_off

SERVICES = (postgresql, prometheus, kafka)


def install_missing() -> list[str]:
    """Install the services that are missing, where that can be done; none is started.

    Returns:
        One sentence about each service that is still missing afterwards.
    """
    for service in SERVICES:
        if not service.PACKAGE or service.missing() is None or switched_off() or apt.why_not():
            continue
        print(
            f"Installing Debian's {service.PACKAGE} with apt-get. Its system service is not"
            f" started; `apt-get remove {service.PACKAGE}` takes it away again …",
            flush=True,
        )
        try:
            with apt.alone():
                if service.missing() is not None:
                    apt.install(service.PACKAGE)
        except apt.AptError as error:
            print(f"error: {error}", flush=True)
    return [sentence for service in SERVICES if (sentence := service.missing()) is not None]
