"""Tests of `helpers.suite`."""
