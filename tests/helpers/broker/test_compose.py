"""The Compose file and the image: what no engine is needed for to be sure of."""

import re

import pytest
import yaml

from helpers.broker import compose
from helpers.machine import docker
from helpers.machine.paths import ROOT
from helpers.rabbitmq import cluster_compose
from helpers.rabbitmq.node_files import PLUGINS
from helpers.services import kafka, postgresql

# All RABBITMQ_ variables that the official image documents for its entrypoint and conf files;
# others, such as the memory watermark's, end the container at once.
DOCUMENTED = {
    "RABBITMQ_DEFAULT_USER",
    "RABBITMQ_DEFAULT_PASS",
    "RABBITMQ_DEFAULT_VHOST",
    "RABBITMQ_NODENAME",
}


@pytest.fixture(scope="module")
def services():
    return yaml.safe_load(docker.FILE.read_text())["services"]


def test_what_only_some_notebooks_use_has_a_profile(services):
    profiles = {name: service.get("profiles", []) for name, service in services.items()}
    assert profiles == {
        "rabbitmq": [],
        "jupyter": [],
        "postgres": ["postgres"],
        "prometheus": ["monitoring"],
        "kafka": ["kafka"],
        "rabbitmq-1": ["cluster"],
        "rabbitmq-2": ["cluster"],
        "rabbitmq-3": ["cluster"],
        "classroom-rabbitmq": ["classroom"],
        "jupyterhub": ["classroom"],
    }
    assert not profiles[compose.SERVICE]


def test_data_of_another_generation_are_explained_before_the_server_starts(services):
    (start,) = services["rabbitmq"]["entrypoint"][1:]
    assert f"./docker/rabbitmq-start.sh:{start}:ro" in services["rabbitmq"]["volumes"]
    assert compose.MARK in (ROOT / "docker" / "rabbitmq-start.sh").read_text()


@pytest.mark.parametrize("service", ["postgres", "prometheus", "kafka"])
def test_images_of_services_are_one_exact_version(services, service):
    image = services[service]["image"]
    assert re.fullmatch(r"\$\{[A-Z]+_IMAGE:-[a-z/]+:v?\d+\.\d+(\.\d+)?\}", image)


def test_login_of_postgres_is_the_one_that_we_use(services):
    variables = services["postgres"]["environment"]
    assert set(variables.values()) == {postgresql.COMPOSE_LOGIN}


def test_health_of_postgres_is_asked_over_tcp(services):
    _, command = services["postgres"]["healthcheck"]["test"]
    assert command.startswith("pg_isready --host 127.0.0.1 ")


def test_kafka_tells_clients_the_addresses_by_which_they_reach_it(services):
    variables = services["kafka"]["environment"]
    advertised = variables["KAFKA_ADVERTISED_LISTENERS"].split(",")
    assert advertised == [
        f"HOST://127.0.0.1:${{KAFKA_PORT:-{kafka.HOST_PORT}}}",
        f"CONTAINERS://{kafka.COMPOSE_SERVICE}:{kafka.CONTAINER_PORT}",
    ]
    assert services["kafka"]["hostname"] == kafka.COMPOSE_SERVICE
    listeners = [name.partition("://")[::2] for name in variables["KAFKA_LISTENERS"].split(",")]
    assert listeners == [
        ("HOST", f":{kafka.HOST_PORT}"),
        ("CONTAINERS", f":{kafka.CONTAINER_PORT}"),
        ("CONTROLLER", "localhost:9093"),
    ]
    factors = {name for name in variables if "REPLICATION_FACTOR" in name}
    assert {variables[name] for name in factors} == {"1"}, "it is one node"


def test_prometheus_scrapes_the_broker_beside_it_and_has_the_alert_rules(services):
    assert "./monitoring:/etc/prometheus:ro" in services["prometheus"]["volumes"]
    config = yaml.safe_load((ROOT / "monitoring" / "prometheus.yml").read_text())
    assert "--config.file=/etc/prometheus/prometheus.yml" in services["prometheus"]["command"]
    targets = [
        target
        for job in config["scrape_configs"]
        for static in job["static_configs"]
        for target in static["targets"]
    ]
    assert set(targets) == {"rabbitmq:15692"}
    assert config["rule_files"] == ["alerts.yml"]


def test_image_is_one_exact_version_of_the_current_series(services):
    image = services["rabbitmq"]["image"]
    assert re.fullmatch(r"\$\{RABBITMQ_IMAGE:-rabbitmq:4\.3\.\d+-management\}", image)


def test_ports_are_on_loopback_only_and_can_be_changed(services):
    for name, service in services.items():
        # A class sits at other machines: there the instructor may say which address.
        address = r"\$\{CLASSROOM_IP:-127\.0\.0\.1\}" if name == "jupyterhub" else r"127\.0\.0\.1"
        for port in service["ports"]:
            assert re.fullmatch(rf"{address}:\$\{{[A-Z_0-9]+:-\d+\}}:\d+", port)


def test_data_survive_a_new_container(services):
    rabbitmq = services["rabbitmq"]
    assert rabbitmq["hostname"]
    assert any(volume.endswith(":/var/lib/rabbitmq") for volume in rabbitmq["volumes"])


def test_only_variables_that_the_image_documents(services):
    variables = services["rabbitmq"]["environment"]
    assert {name for name in variables if name.startswith("RABBITMQ_")} <= DOCUMENTED
    login = f"{variables['RABBITMQ_DEFAULT_USER']}:{variables['RABBITMQ_DEFAULT_PASS']}"
    assert login == docker.LOGIN
    assert f"//{login}@rabbitmq:5672/" in services["jupyter"]["environment"]["AMQP_URL"]


def test_nodes_of_the_cluster_share_a_cookie_and_find_each_other_by_their_host_names(services):
    nodes = [services[name] for name in cluster_compose.SERVICES]
    conf = (ROOT / "docker" / "cluster.conf").read_text()
    for node in nodes:
        assert f" = rabbit@{node['hostname']}\n" in conf
        assert "./docker/cluster.conf:/etc/rabbitmq/conf.d/20-cluster.conf:ro" in node["volumes"]
        assert "./docker/enabled_plugins:/etc/rabbitmq/enabled_plugins:ro" in node["volumes"]
        assert node["image"] == services["rabbitmq"]["image"]
        assert node["healthcheck"]["test"] == services["rabbitmq"]["healthcheck"]["test"]
        login = node["environment"]
        assert f"{login['RABBITMQ_DEFAULT_USER']}:{login['RABBITMQ_DEFAULT_PASS']}" == docker.LOGIN
        assert not node.get("depends_on")
    assert len({node["environment"]["RABBITMQ_ERLANG_COOKIE"] for node in nodes}) == 1
    data = {volume for node in nodes for volume in node["volumes"] if "-data:" in volume}
    assert len(data) == 3
    assert conf.count("classic_config.nodes.") == 3


def test_health_means_that_the_listeners_are_open(services):
    health = services["rabbitmq"]["healthcheck"]
    kind, command = health["test"]
    assert kind == "CMD-SHELL"
    assert command.split(" && ") == [
        "rabbitmq-diagnostics -q check_running",
        "rabbitmq-diagnostics -q check_port_connectivity",
    ]
    assert {"interval", "timeout", "retries", "start_period"} <= set(health)
    condition = services["jupyter"]["depends_on"]["rabbitmq"]["condition"]
    assert condition == "service_healthy"


def test_health_of_jupyterlab_is_that_it_answers(services):
    assert services["jupyter"]["healthcheck"]["test"][-1].endswith('/api", timeout=5)')


def test_plugins_are_those_of_a_private_node(services):
    mount = "./docker/enabled_plugins:/etc/rabbitmq/enabled_plugins:ro"
    assert mount in services["rabbitmq"]["volumes"]
    text = (ROOT / "docker" / "enabled_plugins").read_text().strip()
    assert text == f"[{','.join(PLUGINS)}]."


def test_image_of_jupyter_copies_only_what_its_build_context_holds(services):
    build = services["jupyter"]["build"]
    lines = (ROOT / build["dockerfile"]).read_text().splitlines()
    copied = {
        name.removeprefix("./")
        for line in lines
        if line.startswith("COPY")
        for name in line.split()[1:-1]
    }
    ignore = (ROOT / f"{build['dockerfile']}.dockerignore").read_text().splitlines()
    assert copied == {line[1:] for line in ignore if line.startswith("!")}
    assert all((ROOT / name).exists() for name in copied)


def test_both_images_are_made_of_the_same_python_which_only_dockerfiles_name(services):
    builds = [service["build"] for service in services.values() if "build" in service]
    firsts = {tuple((ROOT / build["dockerfile"]).read_text().splitlines()[1:3]) for build in builds}
    ((default, base),) = firsts
    assert re.fullmatch(r"ARG PYTHON_IMAGE=python:3\.\d+-slim", default)
    assert base == "FROM ${PYTHON_IMAGE}"
    assert [build["args"] for build in builds] == [["PYTHON_IMAGE"]] * 2


def test_images_install_from_lock_files_with_hashes(services):
    builds = [service["build"] for service in services.values() if "build" in service]
    for build in builds:
        text = (ROOT / build["dockerfile"]).read_text()
        installations = re.findall(r"pip install (.*)", text)
        assert installations
        for options in installations:
            locked = options.startswith("--require-hashes --requirement")
            assert locked or options.startswith("--no-deps --no-build-isolation --editable .")


def test_every_rabbitmq_has_few_enough_descriptors_for_a_small_port_table(services):
    image = services["rabbitmq"]["image"]
    limits = [one.get("ulimits") for one in services.values() if one.get("image") == image]
    assert limits == [{"nofile": "${RABBITMQ_DESCRIPTORS:-65536}"}] * 5
