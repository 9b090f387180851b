"""Tests of `helpers.plots`."""
