"""Read the address of a server from an environment variable, without showing its password."""

import ipaddress
import os
import re
from collections.abc import Collection, Mapping
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from helpers.errors import UsageError

# Pasted along with an address: blanks, quotes, and the ones that text processors make of them.
AROUND = " \t\r\n\v\f\u00a0\u200b\ufeff'\"`<>\u2018\u2019\u201c\u201d\u201e\u00ab\u00bb"
SCHEME = re.compile(r"([a-z][a-z0-9+.-]*)://(.*)", re.IGNORECASE | re.DOTALL)
PLACE = re.compile(r"(?P<host>\[[^\[\]]*\]|[^:\[\]]*)(?::(?P<port>[^:]*))?")
BARE_PERCENT = re.compile(r"%(?![0-9a-fA-F]{2})")
RESERVED = "#/?@"  # each ends the user name and the password, unless it is encoded


def given(variable: str, environ: Mapping[str, str] = os.environ) -> str:
    """Return the value of a variable without the blanks and quotes around it.

    Args:
        variable: its name.
        environ: the environment.

    Returns:
        The value; "" when the variable is not set.
    """
    return environ.get(variable, "").strip(AROUND)


def checked_url(variable: str, value: str, *, example: str, schemes: Collection[str]) -> str:
    """Return a URL whose user and password are encoded so that each reader understands them.

    Args:
        variable: where the URL comes from, for the errors.
        value: the URL; blanks and quotes around it are ignored.
        example: a URL of the right form, for the errors.
        schemes: the allowed ones, in lower case.

    Raises:
        UsageError: the scheme is another, or a character of user or password is not encoded; no
            part of the password is in the message.

    Source: RFC 3986, "Uniform Resource Identifier: Generic Syntax".
    """
    hint = f"{variable} has to look like {example}"
    if (match := SCHEME.fullmatch(value.strip(AROUND))) is None:
        allowed = " or ".join(f"{scheme}://" for scheme in schemes)
        raise UsageError(f"{hint}; this one does not begin with {allowed}")
    scheme, rest = match[1].lower(), match[2]
    if scheme not in schemes:
        raise UsageError(f"{hint}; this one begins with {scheme}://")
    login, at, address = rest.rpartition("@")
    check_encoded(variable, login, reserved=RESERVED)
    if at:
        user, _, password = login.partition(":")
        login = f"{_encoded(variable, user)}:{_encoded(variable, password)}"
    return f"{scheme}://{login}{at}{address}"


def checked_server_url(variable: str, value: str, *, example: str, schemes: Collection[str]) -> str:
    """Return a URL of one server; host and port are checked, too.

    Args:
        variable: see `checked_url`, as for the other arguments.
        value: the URL.
        example: a URL of the right form.
        schemes: the allowed ones.

    Raises:
        UsageError: see `checked_url`; or the host or the port is none.
    """
    url = checked_url(variable, value, example=example, schemes=schemes)
    hint = f"{variable} has to look like {example}"
    authority = re.split(r"[/?#]", url.partition("://")[2], maxsplit=1)[0]
    place = PLACE.fullmatch(authority.rpartition("@")[2])
    if place is None:
        raise UsageError(f"{hint}; an IPv6 address stands in brackets, like [::1]")
    host, port = place["host"], place["port"]
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65_536):
        raise UsageError(f"{hint}; in this one, the port is not a number from 1 to 65535")
    if not host:
        raise UsageError(f"{hint}; this one has no host")
    if not _is_host(host):
        raise UsageError(f"{hint}; in this one, the host is no name and no address")
    return url


def check_encoded(variable: str, text: str, *, reserved: str) -> None:
    """Check that a name or a password holds no character that has to be encoded in a URL.

    Args:
        variable: where it comes from.
        text: the name or the password, encoded.
        reserved: the characters that must not be in it.

    Raises:
        UsageError: there is one, or a "%" begins no code; the message shows how it is encoded.
    """
    wrong = [character for character in reserved if character in text]
    wrong += ["%"] if BARE_PERCENT.search(text) else []
    if wrong:
        codes = ", ".join(f"{character} is {quote(character, safe='')}" for character in wrong)
        raise UsageError(
            f"{variable} holds a character that is not encoded: in names and passwords, {codes}"
        )


def without_rest(url: str) -> str:
    """Return a URL without its query and fragment, and without a slash at its end."""
    return urlunsplit(urlsplit(url)._replace(query="", fragment="")).rstrip("/")


def _encoded(variable: str, part: str) -> str:
    try:
        return quote(unquote(part, errors="strict"), safe="")
    except UnicodeDecodeError:
        raise UsageError(
            f"{variable} holds a user name or a password that is not encoded as UTF-8: ü is %C3%BC"
        ) from None


def _is_host(host: str) -> bool:
    try:
        if host.startswith("["):
            ipaddress.IPv6Address(host[1:-1].partition("%")[0])
        else:
            host.encode("idna")
        urlsplit(f"//{host}")
    except ValueError:
        return False
    return not re.search(r"\s", host)
