"""What an instructor runs: the proof of the checks, the grades of a class, the handout."""
