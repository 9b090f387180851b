"""A full disk is one sentence, and what was written before stays."""

import errno
import io
import os
from pathlib import Path

import click
import pytest

from helpers.errors import NotWrittenError
from helpers.machine import files
from helpers.machine.paths import for_figures
from helpers.suite import exits


@pytest.fixture
def full(monkeypatch):
    """Let every writing of bytes stop after the first three, as on a full disk."""

    def write_bytes(path: Path, content: bytes) -> int:
        with path.open("wb") as handle:
            handle.write(content[:3])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "write_bytes", write_bytes)


def test_a_file_is_written_whole_through_a_link_and_keeps_its_mode(tmp_path):
    file, link = tmp_path / "lab05.py", tmp_path / "link.py"
    files.write(file, "ü = 1\n")
    file.chmod(0o640)
    link.symlink_to(file)
    files.write(link, "ü = 2\n")
    assert file.read_text(encoding="utf-8") == "ü = 2\n" and link.is_symlink()
    assert file.stat().st_mode & 0o777 == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lab05.py", "link.py"]


def test_on_a_full_disk_the_file_stays_as_it_was(tmp_path, full):
    file = tmp_path / "lab05.py"
    file.write_text("what the learner wrote")
    with pytest.raises(NotWrittenError, match=r"^cannot write .*lab05\.py: the disk is full: free"):
        files.write(file, "what the learner wrote next")
    assert file.read_text() == "what the learner wrote"
    assert [path.name for path in tmp_path.iterdir()] == ["lab05.py"]


def test_a_line_is_added_whole_or_not_at_all(tmp_path, monkeypatch):
    file = tmp_path / "predictions.jsonl"
    files.append(file, "first\n")
    files.append(file, "zweite Ü\n")
    assert file.read_text(encoding="utf-8") == "first\nzweite Ü\n"

    class Full(io.FileIO):
        def write(self, content):
            if len(content) <= 4:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return super().write(content[:2])

    monkeypatch.setattr(Path, "open", lambda path, mode, buffering: Full(path, mode))
    with pytest.raises(NotWrittenError, match="the disk is full"):
        files.append(file, "third\n")
    monkeypatch.undo()
    assert file.read_text(encoding="utf-8") == "first\nzweite Ü\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_device_that_is_full_is_named():
    with pytest.raises(NotWrittenError, match="cannot write /dev/full: the disk is full"):
        files.append(Path("/dev/full"), "x")


def test_little_room_is_told_with_its_folder(tmp_path):
    assert files.lacks_room(tmp_path, 1) == ""
    assert "MB needed): free some space, or let TMPDIR" in files.lacks_room(tmp_path, 10**18)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "full"), "error: cannot write a file: the disk is full: free"),
        (
            OSError(errno.EACCES, "no", "/x"),
            "error: cannot read or write /x: you are not allowed to",
        ),
        (
            FileNotFoundError(errno.ENOENT, "No usable temporary directory found in ['/tmp']"),
            "error: No usable temporary directory found in ['/tmp']: the disk is full, or you may",
        ),
        (EOFError("marshal data too short"), "error: a compiled file of Python was cut off when"),
    ],
)
def test_a_command_ends_with_the_sentence(error, said, capsys):
    @click.command
    def fails() -> int:
        raise error

    assert exits.run(fails, [], program="x") == 1
    assert capsys.readouterr().err.startswith(said)


def test_other_errors_of_the_system_keep_their_traceback():
    @click.command
    def fails() -> int:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", "x")

    with pytest.raises(FileNotFoundError):
        exits.run(fails, [], program="x")


@pytest.mark.parametrize("home", [True, False])
def test_without_a_home_matplotlib_gets_a_folder(home, tmp_path, monkeypatch):
    monkeypatch.delenv("MPLCONFIGDIR", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path if home else tmp_path / "none"))
    monkeypatch.setenv("RABBIT_LAB_HOME", str(tmp_path / "broker"))
    folder = {"MPLCONFIGDIR": str(tmp_path / "broker" / "matplotlib")}
    assert for_figures() == ({} if home else folder)
