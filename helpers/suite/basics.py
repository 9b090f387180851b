"""The commands about the broker, JupyterLab and the checks; each returns its exit code."""

import click

from helpers.machine.paths import ROOT
from helpers.suite import commands


@click.command
@click.option("--write", is_flag=True, help=f"Write {commands.FILE} instead.")
@click.pass_context
def show_help(context: click.Context, write: bool) -> int:
    """Print the list of commands, or write the page that has them."""
    if write:
        (ROOT / commands.FILE).write_text(commands.page(), encoding="utf-8")
        print(f"{commands.FILE} is written")
    elif context.parent is not None:
        print(context.parent.get_help())
    return 0


@click.command
@click.option("--cluster", is_flag=True, help="Start three nodes in one cluster beside the broker.")
def up(cluster: bool) -> int:
    """Find or start a broker and print where it is; 1 when it takes no messages."""
    from helpers.suite import doctor

    found = doctor.Finding(True, doctor.start_cluster()) if cluster else doctor.up()
    print(found.text)
    return 0 if found.fine else 1


@click.command
def down() -> int:
    """Stop what runs for this checkout, and print it."""
    from helpers.suite import doctor

    print(doctor.stop_what_is_ours())
    return 0


@click.command
def status() -> int:
    """Print whether a broker runs, where, and who uses it."""
    from helpers.suite import doctor

    print(doctor.status())
    return 0


@click.command
def examine() -> int:
    """Print every finding about the broker and this machine; 1 when one is not fine."""
    from helpers.suite import doctor

    findings = doctor.examine()
    for finding in findings:
        print(finding)
    return 0 if all(finding.fine for finding in findings) else 1


@click.command
def test() -> int:
    """Run lint, the tests and every notebook."""
    from helpers.suite import checks

    return checks.run()


@click.command
def test_slow() -> int:
    """Run the tests that take longer."""
    from helpers.suite import checks

    return checks.slow()


@click.command
def twice() -> int:
    """Run every notebook with its cells twice."""
    from helpers.suite import checks

    return checks.twice()


@click.command
def lint() -> int:
    """Run ruff and mypy."""
    from helpers.suite import checks

    return checks.lint()


@click.command
def lock() -> int:
    """Write the lock files."""
    from helpers.suite import lock as lock_files

    lock_files.write()
    return 0
