"""Tests of `helpers.metrics`."""
