"""The places in the notebooks where it is the reader's turn."""
