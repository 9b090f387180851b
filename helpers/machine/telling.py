"""Sentences for the user."""


def say(text: str) -> None:
    """Tell the user what takes time or changes the machine."""
    print(text, flush=True)
