"""Loads what has to be in place before any test or notebook is collected."""

pytest_plugins = ["tests.support.nbval_repairs", "tests.support.spread"]
