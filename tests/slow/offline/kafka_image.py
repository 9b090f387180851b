"""Install Kafka into its stand-in with Maven, since Debian has no package of it.

Source: Maven Dependency Plugin, "copy-dependencies"; apache/kafka, ``docker/jvm``.
"""

import shutil
import subprocess
import tempfile
from pathlib import Path

from helpers.errors import RabbitLabError
from helpers.machine import apt

VERSION = "4.3.1"  # as in docker-compose.yml
LOG4J = "2.25.4"  # the version that this Kafka depends on
PACKAGES = ("openjdk-17-jre-headless",)  # Kafka 4 needs Java 17
MAVEN_TIMEOUT_S = 600.0
POM = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>rabbit-lab</groupId>
  <artifactId>kafka-standin</artifactId>
  <version>1</version>
  <packaging>pom</packaging>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>{VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>{LOG4J}</version>
    </dependency>
  </dependencies>
</project>
"""
LOGGING = """\
rootLogger.level = INFO
rootLogger.appenderRef.out.ref = OUT
appender.out.type = Console
appender.out.name = OUT
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = [%d] %p %m (%c)%n
"""


class KafkaError(RabbitLabError):
    """Kafka cannot be downloaded; the message has the reason."""


def install(tree: Path) -> None:
    """Put Kafka and its dependencies into a root file system, under ``/opt/kafka``.

    Args:
        tree: the root file system; ``PACKAGES`` must be installed in it before Kafka starts.

    Raises:
        KafkaError: Maven is missing and cannot be installed, or it fails.
    """
    libs, config = tree / "opt" / "kafka" / "libs", tree / "opt" / "kafka" / "config"
    config.mkdir(parents=True, exist_ok=True)
    (config / "log4j2.properties").write_text(LOGGING)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "pom.xml").write_text(POM)
        command = [
            _maven(),
            "-q",
            "-B",
            "dependency:copy-dependencies",
            f"-DoutputDirectory={libs}",
        ]
        try:
            done = subprocess.run(
                command, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                timeout=MAVEN_TIMEOUT_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise KafkaError(f"Maven took more than {MAVEN_TIMEOUT_S:g} s") from None
    if done.returncode or not (libs / f"kafka_2.13-{VERSION}.jar").is_file():
        lines = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
        raise KafkaError(f"Maven cannot download Kafka {VERSION}: {' / '.join(lines[:2])}")


def _maven() -> str:
    if shutil.which("mvn") is None:
        try:
            apt.install("maven")
        except apt.AptError as error:
            raise KafkaError(f"Kafka's stand-in needs Maven: {error}") from None
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaError("Kafka's stand-in needs Maven: `sudo apt-get install maven`")
    return maven
