"""The rights of an administrator, for experiments that make users and grant permissions."""

from helpers.broker import assigned_vhosts

NAME = "an administrator's login"
PACKAGE = ""  # whoever runs the broker gives one


def missing() -> str | None:
    """Return, in one sentence, why no user can be made; None when one can."""
    if assigned_vhosts.names():
        return (
            f"This login may not make users: it has virtual hosts that {assigned_vhosts.VARIABLE}"
            " names. A broker of your own, as `make up` starts one, lets you."
        )
    return None


def version() -> str:
    """Return "": rights have no version."""
    return ""


def describe() -> str:
    """Return what it is for, for ``status`` and the doctor."""
    return "an experiment may make users in its own virtual host"


def is_running() -> bool:
    """Return False: nothing runs."""
    return False


def stop() -> str | None:
    """Return None: there is nothing to stop."""
    return None
