"""Tests of the Compose stack on a Docker engine, with stand-ins for the images."""
