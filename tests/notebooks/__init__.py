"""Tests of the notebooks, and the guards that read them."""
