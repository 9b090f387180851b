"""HTTP sessions with servers on this machine or its network."""

import requests


def loopback_session() -> requests.Session:
    """Return a session that ignores the environment's proxies, which are for the outside world.

    It is not safe for use by several threads at the same time.
    """
    session = requests.Session()
    session.trust_env = False
    return session
