"""Addresses with logins: how they may be written, and errors that show no part of a password."""

import shutil
import subprocess
import traceback
from itertools import product
from urllib.parse import quote

import pytest

from helpers import broker
from helpers.broker import scratch, selection, vhosts
from helpers.errors import BrokerError, UsageError
from helpers.machine.ports import free_ports
from helpers.rabbitmq.model import given_amqp_url, given_management_url
from tests.conftest import CHILD_TIMEOUT_S

READERS = {"AMQP_URL": given_amqp_url, "MANAGEMENT_URL": given_management_url}
FORM = "AMQP_URL has to look like amqp://user:password@host:5672/%2F; "
ENCODE = "AMQP_URL holds a character that is not encoded: in names and passwords, "
WRONG = "Zq7Xv9"
USER, PASSWORD = "jürgen", "p€ss ü/#?@%["


def read(variable, value):
    return READERS[variable]({variable: value})


@pytest.mark.parametrize(
    ("value", "url"),
    [
        (" amqp://u:p@h:5672/%2F \n", "amqp://u:p@h:5672/%2F"),
        ("'amqp://u:p@h'", "amqp://u:p@h"),
        ("\u201camqp://h/\u201d", "amqp://h/"),
        ("AMQPS://h", "amqps://h"),
        ("amqp://u:p@h//", "amqp://u:p@h/%2F"),
        ("amqp://u:p@h/one/", "amqp://u:p@h/one"),
        ("amqp://u@h", "amqp://u:@h"),
        ("amqp://u:a b[c]@[::1]:5/", "amqp://u:a%20b%5Bc%5D@[::1]:5/"),
        ("amqp://ü:p€@h", "amqp://%C3%BC:p%E2%82%AC@h"),
        ("amqp://h?heartbeat=9", "amqp://h?heartbeat=9"),
        (" \t", ""),
    ],
)
def test_an_amqp_url_is_read_as_it_is_meant(value, url):
    assert read("AMQP_URL", value) == url


@pytest.mark.parametrize(
    ("value", "url"),
    [
        (" 'http://h:15672/' ", "http://h:15672"),
        ("https://u:p@h/prefix/#/queues", "https://u:p@h/prefix"),
        ("", ""),
    ],
)
def test_a_management_url_is_read_as_it_is_meant(value, url):
    assert read("MANAGEMENT_URL", value) == url


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ("localhost:5672", FORM + "this one does not begin with amqp:// or amqps://"),
        ("u:p@h", FORM + "this one does not begin with amqp:// or amqps://"),
        ("http://h", FORM + "this one begins with http://"),
        ("amqp://", FORM + "this one has no host"),
        ("amqp://u:p@h:http/", FORM + "in this one, the port is not a number from 1 to 65535"),
        ("amqp://u:p@h:0/", FORM + "in this one, the port is not a number from 1 to 65535"),
        ("amqp://u:p@::1:5672/", FORM + "an IPv6 address stands in brackets, like [::1]"),
        ("amqp://u:p@[h]/", FORM + "in this one, the host is no name and no address"),
        ("amqp://u:p@h..x/", FORM + "in this one, the host is no name and no address"),
        ("amqp://u:p#q@h/", ENCODE + "# is %23"),
        ("amqp://u:p@q@h/", ENCODE + "@ is %40"),
        ("amqp://u:p/q@h/", ENCODE + "/ is %2F"),
        ("amqp://u:p%q@h/", ENCODE + "% is %25"),
        ("amqp://u:p?/q@h/", ENCODE + "/ is %2F, ? is %3F"),
        ("amqp://u:p@h/a/b", ENCODE + "/ is %2F"),
        ("amqp://u:p@h/a#b", ENCODE + "# is %23"),
        (
            "amqp://u:%FC@h/",
            "AMQP_URL holds a user name or a password that is not encoded as UTF-8: ü is %C3%BC",
        ),
        (
            "amqp://h/?ssl=true",
            "AMQP_URL cannot be used: pika has no parameter 'ssl': for TLS, begin the URL with"
            " amqps://",
        ),
        ("amqp://h/?x=1", "AMQP_URL cannot be used: pika has no parameter 'x'"),
        (
            "amqp://h/?heartbeat=abc",
            "AMQP_URL cannot be used: pika refuses the value of its parameter 'heartbeat'",
        ),
    ],
)
def test_what_is_wrong_is_one_sentence_with_the_variable(value, sentence):
    with pytest.raises(UsageError) as raised:
        read("AMQP_URL", value)
    assert str(raised.value) == sentence


def test_a_management_url_without_a_scheme():
    with pytest.raises(UsageError) as raised:
        read("MANAGEMENT_URL", "localhost:15672")
    assert str(raised.value) == (
        "MANAGEMENT_URL has to look like http://host:15672; this one does not begin with http:// or"
        " https://"
    )


TEMPLATES = (
    "{0}", "user:{0}@h", "//user:{0}@h", "x://user:{0}@h", "amqp:{0}", "amqp://{0}",
    "amqp://user:{0}", "amqp://user:{0}@", "amqp://user:{0}@h", "amqp://user:{0}@h:port/",
    "amqp://{0}:{0}@h..x", "amqp://user:{0}@[h", "amqp://user:{0}@h/?ssl=1",
    "amqp://user:{0}@h/?heartbeat={0}", "amqp://user:{0}@h/a/b", "amqp://user:{0}%FC@h",
)  # fmt: skip


def assert_not_shown(error, password):
    text = "".join(traceback.format_exception(error))
    parts = [password[start : start + 3] for start in range(len(password) - 2)]
    assert [part for part in parts if part in text] == []


@pytest.mark.parametrize("character", ["", *"#/?@%[]:\\ ü€\u2100\n"])
def test_no_part_of_a_password_is_shown(character):
    password = f"Zq7{character}Xv9"
    texts = [template.format(password) for template in TEMPLATES]
    texts += [text.replace("amqp", "http") for text in texts]
    for variable, text in product(READERS, texts):
        try:
            url = read(variable, text)
        except UsageError as error:
            assert_not_shown(error, password)
        else:
            assert url.count("@") <= 1


@pytest.fixture
def given(monkeypatch, shared_broker):
    """Return a function that looks for the broker of other URLs."""
    monkeypatch.setattr(selection, "GIVEN_BROKER_TIMEOUT_S", 0)
    monkeypatch.setattr(scratch, "_scratch", None)

    def find(amqp_url, management_url=shared_broker.management_url):
        monkeypatch.setenv("AMQP_URL", amqp_url)
        monkeypatch.setenv("MANAGEMENT_URL", management_url)
        monkeypatch.setattr(selection, "_current", None)
        return broker.find()

    yield find
    scratch.close()


@pytest.fixture
def address(shared_broker):
    """Make an administrator whose name and password are not ASCII; return the broker's place."""
    name = quote(USER, safe="")
    user = {"password": PASSWORD, "tags": "administrator"}
    vhosts.call(shared_broker, "PUT", f"users/{name}", user)
    vhosts.call(shared_broker, "PUT", f"permissions/%2F/{name}", vhosts.ALL)
    yield f"{shared_broker.host}:{shared_broker.port}"
    vhosts.call(shared_broker, "DELETE", f"users/{name}")


@pytest.mark.parametrize("user", [USER, quote(USER)])
def test_names_and_passwords_are_utf_8(given, address, user):
    found = given(f" amqp://{user}:{quote(PASSWORD, safe='')}@{address}// ")
    assert found.user == USER
    with broker.connect() as connection:
        connection.channel().queue_declare("q", durable=True)
    assert broker.api("GET", "whoami")["name"] == USER


def test_a_refused_login_does_not_show_the_password(given, address):
    with pytest.raises(BrokerError, match="refused the login of user 'jürgen'") as raised:
        given(f"amqp://{USER}:{WRONG}@{address}")
    assert_not_shown(raised.value, WRONG)


# ── TLS ───────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Start a node with and without TLS; return its places: amqp, amqps, http, https."""
    if not shutil.which("openssl"):
        pytest.skip("there is no openssl to make a certificate")
    folder, ports = tmp_path_factory.mktemp("tls"), free_ports()
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True, timeout=CHILD_TIMEOUT_S)
    for path in (folder.parent, folder, key, certificate):
        path.chmod(0o755)
    files = {"cacertfile": certificate, "certfile": certificate, "keyfile": key}
    config = [f"listeners.ssl.1 = 127.0.0.1:{ports.amqp}", "management.ssl.ip = 127.0.0.1"]
    config += [f"management.ssl.port = {ports.management}"]
    config += [f"ssl_options.{name} = {path}" for name, path in files.items()]
    config += [f"management.ssl.{name} = {path}" for name, path in files.items()]
    with broker.disposable(config="\n".join(config)) as node:
        http = node.broker.management_url.partition("://")[2]
        yield {
            "login": node.broker.amqp_url.partition("://")[2].rpartition("@")[0],
            "amqp": f"127.0.0.1:{node.broker.port}",
            "amqps": f"127.0.0.1:{ports.amqp}",
            "http": http,
            "https": f"127.0.0.1:{ports.management}",
        }


@pytest.mark.parametrize(
    ("amqp", "management", "sentence"),
    [
        (("amqps", "amqp"), ("http", "http"), r"speaks no TLS: in AMQP_URL, use amqp://, or"),
        (("amqp", "amqps"), ("http", "http"), r"speaks TLS: in AMQP_URL, use amqps://, or"),
        (("amqps", "amqps"), ("http", "http"), r"no TLS connection with 127.*self.signed cert"),
        (("amqp", "amqp"), ("https", "http"), r"\(that port speaks no TLS: use http://\)"),
        (("amqp", "amqp"), ("http", "https"), r"\(that port speaks TLS: use https://\)"),
        (("amqp", "amqp"), ("https", "https"), r"\(its certificate is not trusted\)"),
    ],
)
def test_tls_where_there_is_none_and_the_other_way_round(given, places, amqp, management, sentence):
    amqp_url = f"{amqp[0]}://{places['login']}@{places[amqp[1]]}"
    with pytest.raises(BrokerError, match=sentence):
        given(amqp_url, f"{management[0]}://{places[management[1]]}")
