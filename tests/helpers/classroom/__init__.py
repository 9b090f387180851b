"""Tests of `helpers.classroom`."""
