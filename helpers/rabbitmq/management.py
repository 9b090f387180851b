"""Call RabbitMQ's management API."""

import os
import threading
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.auth import HTTPBasicAuth

from helpers.errors import BrokerNotReadyError, BrokerRefusedError
from helpers.machine import tls
from helpers.machine.http import loopback_session
from helpers.rabbitmq.model import credentials, without_credentials

TIMEOUT_S = (3.0, 20.0)
_local = threading.local()


class ManagementApiError(BrokerRefusedError):
    """The management API answered with an error; ``status`` is the HTTP code."""

    def __init__(self, message: str, status: int):
        super().__init__(message)
        self.status = status


def call(
    management_url: str,
    login: tuple[str, str],
    method: str,
    path: str,
    body: Any = None,
    *,
    timeout_s: tuple[float, float] = TIMEOUT_S,
) -> Any:
    """Call the management API once.

    Args:
        management_url: base URL; a user and password in it win over ``login``.
        login: user and password.
        method: HTTP method.
        path: the part after ``/api/``, already quoted.
        body: sent as JSON; None sends no body.
        timeout_s: seconds for the connect and for each read.

    Returns:
        The parsed JSON, or None for an empty answer.

    Raises:
        BrokerNotReadyError: nothing answers there in time.
        ManagementApiError: it answered with an HTTP error.

    Source: RabbitMQ documentation, "Management HTTP API".
    """
    base = without_credentials(management_url)
    if base != management_url.rstrip("/"):
        login = credentials(management_url)
    url = f"{base}/api/{path.lstrip('/').removeprefix('api/')}"
    session = _session()
    try:
        answer = session.request(
            method,
            url,
            json=body,
            auth=HTTPBasicAuth(*(part.encode() for part in login)),  # of a str, latin-1 is sent
            timeout=timeout_s,
        )
    except requests.RequestException as error:
        raise BrokerNotReadyError(
            f"the management API does not answer at {base} ({_cause(error, base)}): is the plugin"
            " rabbitmq_management enabled, and is MANAGEMENT_URL right?"
        ) from None
    if not answer.ok:
        # Of a refused request it may not have read the body: then it hangs up, without saying so,
        # and a request that is on its way by then would have no answer.
        session.close()
        raise _refusal(answer, base, login[0], f"{method} {path}")
    if not answer.content:
        return None
    try:
        return answer.json()
    except ValueError:
        raise BrokerRefusedError(
            f"{base} answers, but not as RabbitMQ's management API: is MANAGEMENT_URL right?"
        ) from None


def _session() -> requests.Session:
    # Its connections stay open, so each thread has a session, and so has a forked child.
    if getattr(_local, "pid", None) != os.getpid():
        _local.session = loopback_session()
        _local.pid = os.getpid()
    session: requests.Session = _local.session
    return session


def _cause(error: requests.RequestException, base: str) -> str:
    if isinstance(error, requests.Timeout):
        return "timeout"
    text = str(error)
    for sign, cause in (
        ("refused", "connection refused"),
        ("resolve", "the host name does not resolve"),
        ("CERTIFICATE_VERIFY_FAILED", "its certificate is not trusted"),
    ):
        if sign in text:
            return cause
    if isinstance(error, requests.exceptions.SSLError):
        return "that port speaks no TLS: use http://" if tls.is_plain(error) else "TLS error"
    parts = urlsplit(base)
    if parts.scheme == "http" and tls.speaks_tls(parts.hostname or "", parts.port or 80):
        return "that port speaks TLS: use https://"
    return type(error).__name__


def _refusal(answer: requests.Response, base: str, user: str, what: str) -> ManagementApiError:
    status = answer.status_code
    if status == 401 and "management" in answer.text and "user" in answer.text.lower():
        message = (
            f"user {user!r} may not use the management API at {base}: it needs the tag"
            " administrator (`rabbitmqctl set_user_tags USER administrator`)"
        )
    elif status == 401:
        message = f"the management API at {base} refused user {user!r}: check user and password"
    else:
        try:
            reason = str(answer.json().get("reason", ""))
        except (ValueError, AttributeError):
            reason = answer.text.strip()[:200]
        message = f"the management API refused {what}: {status} {answer.reason} {reason}".strip()
    return ManagementApiError(message, status)
