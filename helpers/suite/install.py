"""Install missing services with apt, as root on Debian or Ubuntu; ``make test`` does it."""

from functools import partial

from helpers.machine import apt
from helpers.services import SERVICES, Service
from helpers.services.private import switched_off


def install_missing() -> list[str]:
    """Install the services that are missing, where that can be done; none is started.

    Returns:
        One sentence about each service that is still missing afterwards.
    """
    for service in SERVICES.values():
        if service.PACKAGE and service.missing() and not switched_off() and not apt.why_not():
            try:
                apt.ensure(service.PACKAGE, is_missing=partial(_is_missing, service))
            except apt.AptError as error:
                print(f"error: {error}", flush=True)
    return [sentence for service in SERVICES.values() if (sentence := service.missing())]


def _is_missing(service: Service) -> bool:
    return service.missing() is not None
