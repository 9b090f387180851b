"""Install missing services with apt, as root on Debian or Ubuntu; ``make test`` does it."""

from helpers.machine import apt
from helpers.services import SERVICES
from helpers.services.private import switched_off


def install_missing() -> list[str]:
    """Install the services that are missing, where that can be done; none is started.

    Returns:
        One sentence about each service that is still missing afterwards.
    """
    for service in SERVICES.values():
        if not service.PACKAGE or service.missing() is None or switched_off() or apt.why_not():
            continue
        try:
            apt.ensure(service.PACKAGE, is_missing=lambda it=service: it.missing() is not None)
        except apt.AptError as error:
            print(f"error: {error}", flush=True)
    return [sentence for service in SERVICES.values() if (sentence := service.missing())]
