"""Turn what a command raises into its exit code, and chosen signals into Ctrl-C."""

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any, NoReturn

import click

from helpers.errors import RabbitLabError, UsageError
from helpers.machine.files import why_not_written

CUT_OFF = (
    "a compiled file of Python was cut off when the disk was full: free some space, remove these"
    " files with `find . -name '*.pyc' -delete`, and try again"
)
SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"]}


def run(command: click.Command, arguments: Sequence[str] | None = None, *, program: str) -> int:
    """Run a command line to its end.

    Args:
        command: parses the arguments, does the work and returns its exit code.
        arguments: the words after the program's name; None takes those of this process.
        program: the program's name in messages about usage.

    Returns:
        The command's exit code; 1 after an error, on a full disk, and when the reader of the output
        has gone; 2 after wrong usage; 130 after Ctrl-C.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        code = _invoke(command, words, program)
        sys.stdout.flush()
        return code
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.format_message(), file=sys.stderr)
        return error.exit_code
    except click.ClickException as error:
        if isinstance(error, click.UsageError) and error.ctx is not None:
            print(error.ctx.get_usage(), file=sys.stderr)
        print(f"error: {error.format_message()}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Python flushes stdout once more at exit, which would print a second error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (RabbitLabError, OSError, EOFError) as error:
        sentence = why_not_written(error) if isinstance(error, OSError) else ""
        if "marshal data" in str(error):  # Python before 3.12.8 does not notice it while it writes
            sentence = CUT_OFF
        if not isinstance(error, RabbitLabError) and not sentence:
            raise
        print(f"error: {sentence or error}", file=sys.stderr)
        return 2 if isinstance(error, UsageError) else 1


def _invoke(command: click.Command, words: list[str], program: str) -> int:
    try:
        with command.make_context(program, words, **SETTINGS) as context:
            code: int = command.invoke(context)
            return code
    except click.exceptions.Exit as end:  # after --help
        return end.exit_code


@contextmanager
def like_ctrl_c(*signals: signal.Signals) -> Iterator[None]:
    """Let signals raise KeyboardInterrupt in this block, so that a command cleans up and ends.

    Args:
        signals: such as SIGTERM; SIGINT too where a shell may start the command in the background,
            since it starts it with interrupts ignored.
    """

    def interrupt(_: int, __: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    before = [signal.signal(number, interrupt) for number in signals]
    try:
        yield
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)
