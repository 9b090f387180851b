"""The Compose stack on a real Docker engine, with images built from Debian's own packages."""
