"""Tests of `helpers.services`."""
