"""Install the hooks in a Python that a learner's process has started.

``multiprocessing`` with spawn or forkserver, process pools and ``subprocess`` start interpreters
that know nothing of the judge. ``site/sitecustomize.py`` calls `install` in each of them.
"""

import functools
import sys
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import spec_from_file_location
from types import ModuleType
from typing import Any


class Finder:
    """Finds the learner's file as ``submission``, and hooks sqlite3 and pika at their import."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.hooked = {"sqlite3", "pika"}

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Return the module's spec, or None to leave it to others."""
        if name == "submission":
            return _instead(spec_from_file_location(name, self.file), _run_submission)
        if name not in self.hooked:
            return None
        self.hooked.discard(name)
        spec = PathFinder.find_spec(name, path, target)
        return _instead(spec, functools.partial(_run_and_hook, name))


def _instead(spec: ModuleSpec | None, run: Any) -> ModuleSpec | None:
    """Have a module run by ``run``, which gets the loader's own method as first argument."""
    if spec is not None and spec.loader is not None:
        own = spec.loader.exec_module
        spec.loader.exec_module = functools.partial(run, own)  # type: ignore[method-assign]
    return spec


def _run_submission(run: Any, module: ModuleType) -> None:
    """Run the learner's file, which may choose a start method, as it did in the parent."""
    multiprocessing = sys.modules.get("multiprocessing")
    if multiprocessing is None:
        run(module)
        return
    method = multiprocessing.get_start_method(allow_none=True)
    multiprocessing.set_start_method(None, force=True)
    run(module)
    if multiprocessing.get_start_method(allow_none=True) is None:
        multiprocessing.set_start_method(method, force=True)


def _run_and_hook(name: str, run: Any, module: ModuleType) -> None:
    run(module)
    if name == "sqlite3":
        from labs.judge.sandbox import store

        store.install()
    else:
        from labs.judge.sandbox import hooks

        hooks.install()


def install(file: str) -> None:
    """Make this process one of an actor's.

    Args:
        file: path of the learner's file.
    """
    sys.meta_path.insert(0, Finder(file))
