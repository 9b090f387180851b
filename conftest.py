"""Loads what has to be in place before any test or notebook is collected."""

pytest_plugins = ["tests.nbval_repairs", "tests.spread"]
