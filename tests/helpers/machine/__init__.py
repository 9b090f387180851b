"""Tests of `helpers.machine`."""
