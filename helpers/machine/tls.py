"""Find out whether a port speaks TLS, when a connection to it fails."""

import socket
import ssl

NO_TLS = ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "PACKET_LENGTH_TOO_LONG", "HTTP_REQUEST")


def is_plain(error: BaseException) -> bool:
    """Return whether a failed TLS handshake shows that the other side speaks no TLS.

    Args:
        error: an ``ssl.SSLError``, or one whose text holds OpenSSL's reason.

    Source: OpenSSL, the reason codes of ``SSL_R_*``.
    """
    return any(reason in str(error) for reason in NO_TLS)


def speaks_tls(host: str, port: int, *, timeout_s: float = 2.0) -> bool:
    """Return whether a TLS handshake with a port succeeds; no certificate is checked.

    Args:
        host: name or address.
        port: TCP port.
        timeout_s: longest wait for each step, in seconds.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), timeout=timeout_s) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return True
    except (OSError, ValueError):
        return False
