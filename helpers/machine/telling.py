"""Print sentences for the user."""


def say(text: str) -> None:
    """Print what takes time or changes the machine."""
    print(text, flush=True)
