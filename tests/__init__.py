"""Tests of the helpers and of the notebooks, on a real broker."""
