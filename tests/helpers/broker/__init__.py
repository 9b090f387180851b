"""Tests of `helpers.broker`."""
