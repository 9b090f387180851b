"""The command line: ``python -m helpers COMMAND``, which the Makefile calls."""

import sys
from collections.abc import Sequence

import click

from helpers.suite import exits
from helpers.suite.commands import COMMANDS, GROUPS, PROGRAM, WIDTH, load


class Commands(click.Group):
    """The commands of the table, each imported when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None for an unknown name.

        Raises:
            UsageError: this copy of the repository lacks the folder that the command needs.
        """
        row = COMMANDS.get(cmd_name)
        return load(row) if row else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands by group, without importing them."""
        for group, title in GROUPS.items():
            with formatter.section(title):
                formatter.write_dl(
                    [(row.name, row.sentence) for row in COMMANDS.values() if row.group == group]
                )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: what follows the program's name; None takes the process's own.

    Returns:
        The exit code: 0 when all is well, 1 after an error, 2 after wrong usage, 130 after Ctrl-C.
    """
    group = Commands(
        help="Rabbit Lab's commands; COMMAND --help shows the options of each.",
        context_settings={"max_content_width": WIDTH},
    )
    return exits.run(group, arguments, program=PROGRAM)


if __name__ == "__main__":
    sys.exit(main())
