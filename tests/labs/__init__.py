"""Tests of the labs and their judge."""
