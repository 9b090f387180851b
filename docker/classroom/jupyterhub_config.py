"""JupyterHub for a class: every learner a Unix user, with vhosts on the broker for its server.

``python -m helpers.classroom.seats start`` checks the settings and then runs this.

Source: JupyterHub documentation, "Spawners" and "Authenticators".
"""

import asyncio
import os
import pwd
import resource
import subprocess
import threading
from pathlib import Path

from jupyterhub.spawner import LocalProcessSpawner

from helpers.classroom import seats, turns
from helpers.errors import UsageError
from helpers.suite.jupyterlab import SETTINGS

HOMES = Path("/home")
STATE = Path("/srv/jupyterhub")
HANDOUT = Path("/srv/rabbit-lab/handout.zip")
FOLDER = "rabbit-lab"
FIRST_UID = 2000
START_S = 300  # of a server, and of a kernel until it answers
# With 3 for each core, 1 of 30 runs of q09 on a busy machine measured too little.
TURNS, TURNS_PER_CORE = Path("/run/rabbit-lab/turns"), 2
# Of each process of a learner, and of all processes and threads of a learner together.
BYTES, TASKS = 4 * 2**30, 2000
# As the learner, in their home: what is there already is theirs, and stays.
FURNISH = """
set -e
[ ! -e "$2" ] || exit 0
rm -rf .new
python -m zipfile -e "$1" .new
mkdir -p .jupyter/custom
cp "$3" .jupyter/custom/
mv ".new/$2" "$2"
rmdir .new
"""

room = seats.settings()
STATE.chmod(0o700)
turns.make(TURNS, int(os.environ.get("CLASSROOM_TURNS") or TURNS_PER_CORE * (os.cpu_count() or 1)))
accounts = threading.Lock()


def prepare(name: str) -> dict[str, str]:
    """Make a learner's Unix user, home and vhosts, as far as they do not exist."""
    environment = seats.open_seat(room, name)
    home = HOMES / name
    with accounts:
        make_account(name, home)
    home.chmod(0o700)
    user = pwd.getpwnam(name)
    subprocess.run(
        ["sh", "-c", FURNISH, "sh", HANDOUT, FOLDER, SETTINGS / "custom.css"],
        cwd=home, user=user.pw_uid, group=user.pw_gid, extra_groups=[], umask=0o077, check=True,
    )  # fmt: skip
    return environment | {
        "PYTHONPATH": str(home / FOLDER),
        "RABBIT_LAB_DOCKER": "off",
        turns.VARIABLE: str(TURNS),
    }


def make_account(name: str, home: Path) -> None:
    """Make a Unix user; a home that an earlier container made keeps its owner."""
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        used = [FIRST_UID - 1, *(other.stat().st_uid for other in HOMES.iterdir())]
        number = str(home.stat().st_uid if home.exists() else max(used) + 1)
        command = ["useradd", "--uid", number, "--user-group", "--no-create-home"]
        subprocess.run([*command, "--shell", "/bin/bash", "--home-dir", home, name], check=True)
        home.mkdir(exist_ok=True)
        os.chown(home, int(number), int(number))
    else:
        if user.pw_uid < FIRST_UID:
            raise UsageError(f"{name!r} is a user of the system: take another name")


async def take_seat(spawner: LocalProcessSpawner) -> None:
    """Give a learner's server a place of its own, before it starts."""
    name = spawner.user.name
    given = await asyncio.get_running_loop().run_in_executor(None, prepare, name)
    spawner.environment = {**spawner.environment, **given}


class LearnerSpawner(LocalProcessSpawner):
    """Starts servers as their learners, with limits; the Hub is the last to go without memory."""

    def make_preexec_fn(self, name):  # noqa: D102
        become = super().make_preexec_fn(name)

        def limit() -> None:
            Path("/proc/self/oom_score_adj").write_text("500")
            resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
            resource.setrlimit(resource.RLIMIT_NPROC, (TASKS, TASKS))
            os.umask(0o077)
            become()

        return limit


c = get_config()  # noqa: F821  (JupyterHub's)

c.JupyterHub.bind_url = "http://:8000"
c.JupyterHub.db_url = f"sqlite:///{STATE / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(STATE / "cookie_secret")
c.ConfigurableHTTPProxy.command = [
    "node",
    "/opt/proxy/node_modules/configurable-http-proxy/bin/configurable-http-proxy",
]
c.ConfigurableHTTPProxy.pid_file = str(STATE / "proxy.pid")

c.JupyterHub.authenticator_class = "shared-password"
c.SharedPasswordAuthenticator.user_password = room.password
c.SharedPasswordAuthenticator.admin_password = room.admin_password
c.Authenticator.admin_users = {seats.INSTRUCTOR}
c.Authenticator.allow_all = True
c.Authenticator.username_pattern = rf"{seats.NAME}\Z"
c.Authenticator.blocked_users = {user.pw_name for user in pwd.getpwall() if user.pw_uid < FIRST_UID}

c.JupyterHub.spawner_class = LearnerSpawner
c.Spawner.pre_spawn_hook = take_seat
# A whole class begins at the same minute.
c.Spawner.start_timeout = c.Spawner.http_timeout = START_S
c.Spawner.notebook_dir = f"~/{FOLDER}"
c.Spawner.default_url = "/lab/tree/notebooks"
c.Spawner.args = [
    f"--config={SETTINGS / 'jupyter_lab_config.json'}",
    f"--LabApp.app_settings_dir={SETTINGS}",
    # All share the ports of one container: with ports, two kernels that start at the same moment
    # may choose the same one, and one of them never answers. A Unix socket's path may have 107
    # characters; in a home these have 85 and the learner's name.
    "--KernelManager.transport=ipc",
    f"--MappingKernelManager.kernel_info_timeout={START_S}",
]
