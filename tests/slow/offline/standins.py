"""Stand-ins for the images of docker-compose.yml, built from Debian's own packages.

They are for machines that cannot pull an image. Each is a root file system made by debootstrap,
kept in the user's cache folder under a name that changes with its recipe, and imported into the
Docker engine.

Source: debootstrap(8); Docker documentation, "docker image import".
"""

import hashlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from helpers.errors import RabbitLabError
from helpers.machine import apt
from helpers.machine.locks import exclusive
from tests.slow.offline import kafka_image

ENTRIES = Path(__file__).parent / "entry"
ENTRY = "usr/local/bin/docker-entrypoint.sh"  # where the official images have it
BUILD_TIMEOUT_S = 900.0
IMPORT_TIMEOUT_S = 300.0
REPOSITORY = "rabbit-lab-standin"
# The Release file of an old snapshot of Debian counts as expired; its signature stays valid.
UNEXPIRED = "Acquire::Check-Valid-Until"
APT = f"apt-get -q -o {UNEXPIRED}=false"
# Installation scripts of packages must not start services in the tree.
POLICY = (
    "printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d"
)
HOSTS = "127.0.0.1 localhost\n::1 localhost ip6-localhost\n"


class StandinError(RabbitLabError):
    """A stand-in cannot be built here; the message says why."""


@dataclass(frozen=True)
class Standin:
    """How one root file system is made, and how a container of it starts."""

    suite: str
    packages: tuple[str, ...] = ()
    script: str = "true"  # runs in the tree, as root
    install: Callable[[Path], None] | None = field(default=None)
    recipe: Path | None = None  # the source of ``install``; the digest includes its text
    entry: str = ""  # a file of entry/; empty for none
    command: tuple[str, ...] = ()

    def digest(self) -> str:
        """Return a short hash of the recipe."""
        parts = [self.suite, *self.packages, self.script, self.entry, *self.command, POLICY, ENTRY]
        files = [ENTRIES / self.entry] if self.entry else []
        files += [self.recipe] if self.recipe else []
        parts += [path.read_text() for path in files]
        parts += [self.install.__name__] if self.install else []
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def _rabbitmq(suite: str) -> Standin:
    return Standin(suite, ("rabbitmq-server",), entry="rabbitmq.sh", command=("rabbitmq-server",))


# As in the official image, python and pip are in /usr/local; pip cannot replace Debian's packages.
PYTHON = "python3 -m venv /usr/local"
CERTIFICATES = "etc/ssl/certs/ca-certificates.crt"


def _prepare_for_builds(new: Path) -> None:
    """Let apt, pip and npm download in this tree as they do on this machine.

    The machine's proxy may have a certificate authority of its own.
    """
    (new / CERTIFICATES).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(Path("/", CERTIFICATES), new / CERTIFICATES)
    (new / "etc" / "pip.conf").write_text(f"[global]\ncert = /{CERTIFICATES}\n")
    (new / "etc" / "npmrc").write_text(f"cafile = /{CERTIFICATES}\n")
    (new / "etc" / "apt" / "apt.conf.d" / "90standin").write_text(f'{UNEXPIRED} "false";\n')


# All that a newcomer has to install before `make test`, which installs the rest.
MACHINE = ("ca-certificates", "git", "make", "python3", "python3-venv")


def _machine(suite: str) -> Standin:
    return Standin(suite, MACHINE, install=_prepare_for_builds)


STANDINS = {
    "rabbitmq-3.10": _rabbitmq("bookworm"),
    "rabbitmq-4.0": _rabbitmq("trixie"),
    "rabbitmq-4.3": _rabbitmq("forky"),
    "python": Standin(
        "trixie", ("python3", "python3-venv"), PYTHON, install=_prepare_for_builds,
        command=("python",),
    ),
    "postgres": Standin(
        "bookworm", ("postgresql",), entry="postgres.sh", command=("postgres",)
    ),
    "compose": Standin("trixie", ("docker-compose",)),  # `engine` copies it from there
    "prometheus": Standin("bookworm", ("prometheus", "wget"), entry="prometheus.sh"),
    "kafka": Standin(
        "bookworm", kafka_image.PACKAGES, install=kafka_image.install,
        recipe=Path(kafka_image.__file__),
        entry="kafka.sh",
    ),
    "debian-bookworm": _machine("bookworm"),
    "debian-trixie": _machine("trixie"),
    "debian-forky": _machine("forky"),
}  # fmt: skip


def cache() -> Path:
    """Return the folder of all trees, made if absent; ``RABBIT_LAB_STANDINS`` overrides it."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(os.environ.get("RABBIT_LAB_STANDINS") or Path(base) / "rabbit-lab" / "standins")
    folder.mkdir(parents=True, exist_ok=True)
    return folder.absolute()


def why_not() -> str | None:
    """Return why no stand-in can be built here, or None when it can."""
    if reason := apt.why_not():
        return f"{reason}, and stand-ins are built from Debian's packages"
    if mirror() is None:
        return "none of apt's sources is a Debian mirror, which stand-ins are built from"
    return None


def tree(name: str) -> Path:
    """Return the root file system of a stand-in; build it when the cache does not have it.

    Args:
        name: a key of ``STANDINS``.

    Raises:
        StandinError: it cannot be built on this machine, or a step failed.
    """
    standin = STANDINS[name]
    folder = cache() / f"{name}-{standin.digest()}"
    with exclusive(cache() / f"{name}.lock", timeout_s=BUILD_TIMEOUT_S):
        if not folder.exists():
            print(f"Building the stand-in {name} from Debian's {standin.suite} …", flush=True)
            _fresh(folder, lambda new: _furnish(new, standin))
            for old in cache().glob(f"{name}-{'[0-9a-f]' * 12}"):
                if old != folder:
                    shutil.rmtree(old)
    return folder


def image(name: str) -> str:
    """Return the image of a stand-in; import it when the engine does not have it.

    Args:
        name: a key of ``STANDINS``.

    Raises:
        StandinError: it cannot be built on this machine, or Docker refuses it.
    """
    standin = STANDINS[name]
    tag = f"{REPOSITORY}/{name}:{standin.digest()}"
    inspect = subprocess.run(["docker", "image", "inspect", tag], capture_output=True, check=False)
    if inspect.returncode == 0:
        return tag
    changes = [f"CMD {json.dumps(standin.command)}"] if standin.command else []
    changes += [f'ENTRYPOINT ["/{ENTRY}"]'] if standin.entry else []
    options = [part for change in changes for part in ("--change", change)]
    folder = tree(name)
    with subprocess.Popen(
        ["tar", "--one-file-system", "-C", str(folder), "-c", "."], stdout=subprocess.PIPE
    ) as tar:
        _do(["docker", "import", *options, "-", tag], IMPORT_TIMEOUT_S, stdin=tar.stdout)
    if tar.returncode:
        raise StandinError(f"tar cannot read {folder}")
    return tag


def _furnish(new: Path, standin: Standin) -> None:
    shutil.rmtree(new, ignore_errors=True)
    _do(["cp", "-a", "--reflink=auto", str(_base(standin.suite)), str(new)], BUILD_TIMEOUT_S)
    packages = " ".join(standin.packages)
    inside(
        new,
        f"{POLICY} && {APT} update && DEBIAN_FRONTEND=noninteractive {APT} install -y"
        f" --no-install-recommends {packages} && apt-get clean && rm -rf /var/lib/apt/lists/*"
        f" && {standin.script}",
    )
    if standin.install:
        standin.install(new)
    if standin.entry:
        shutil.copy(ENTRIES / standin.entry, new / ENTRY)
        (new / ENTRY).chmod(0o755)


def _base(suite: str) -> Path:
    folder = cache() / f"base-{suite}"
    with exclusive(cache() / f"base-{suite}.lock", timeout_s=BUILD_TIMEOUT_S):
        if not folder.exists():
            _fresh(folder, lambda new: _bootstrap(new, suite))
    return folder


def _bootstrap(new: Path, suite: str) -> None:
    if shutil.which("debootstrap") is None:
        apt.install("debootstrap")
    # An older debootstrap has no script for newer suites; the script of sid fits them all.
    scripts = Path("/usr/share/debootstrap/scripts")
    script = [] if (scripts / suite).exists() else [str(scripts / "sid")]
    command = ["debootstrap", "--variant=minbase", suite, str(new), str(mirror()), *script]
    _do(command, BUILD_TIMEOUT_S)
    (new / "etc" / "hosts").write_text(HOSTS)


def mirror() -> str | None:
    """Return the first source of this machine's apt whose address ends with ``/debian``."""
    # apt itself reads both forms of its source files; the option lists them before any update.
    listed = subprocess.run(
        ["apt-get", "--no-release-info", "indextargets", "--format", "$(REPO_URI)"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    addresses = listed.stdout.split()
    return next((one for one in addresses if one.rstrip("/").endswith("/debian")), None)


def inside(root: Path, script: str) -> None:
    """Run a shell script as root in a tree, with mounts that end with it.

    Args:
        root: the root file system.
        script: for ``sh``.

    Raises:
        StandinError: it fails, or takes too long; the message has its last lines.
    """
    mounts = 'mount -t proc proc "$1/proc" && mount --rbind /dev "$1/dev"'
    names = 'cp /etc/resolv.conf "$1/etc/resolv.conf"'
    command = f'{mounts} && {names} && exec chroot "$1" /bin/sh -c "$2"'
    _do(["unshare", "--mount", "sh", "-c", command, "sh", str(root), script], BUILD_TIMEOUT_S)


def _fresh(folder: Path, make: Callable[[Path], None]) -> None:
    # Built under another name and then renamed: an interrupted build leaves no incomplete tree.
    if reason := why_not():
        raise StandinError(f"no stand-in can be built: {reason}")
    new = folder.with_name(f"{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    try:
        make(new)
        new.rename(folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _do(command: list[str], timeout_s: float, *, stdin: object = subprocess.DEVNULL) -> None:
    try:
        done = subprocess.run(
            command, stdin=stdin, capture_output=True, text=True, errors="replace",
            timeout=timeout_s, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise StandinError(f"`{command[0]}` took more than {timeout_s:g} s") from None
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise StandinError(f"`{' '.join(command[:3])} …` failed: {' / '.join(lines[-3:])}")
