"""The generations of RabbitMQ on which everything is measured, and their order."""

from collections.abc import Iterable

GENERATIONS = ("3.10", "4.0", "4.3")  # oldest first


def generation_of(version: str) -> str:
    """Return major and minor of a version: "4.3" of "4.3.6"."""
    return ".".join(version.split(".")[:2])


def age(generation: str) -> tuple[int, ...]:
    """Return a sort key for generations: "3.10" comes after "3.9"."""
    return tuple(int(part) for part in generation.split("."))


def compared_with(generation: str, recorded: Iterable[str] = GENERATIONS) -> str:
    """Return the recorded generation with whose values a broker is compared.

    Args:
        generation: that of the broker, such as "4.2".
        recorded: the generations that have values, at least one.

    Returns:
        The newest recorded one at or before it; the oldest recorded one where all are newer.
    """
    names = sorted(recorded, key=age)
    return next((name for name in reversed(names) if age(name) <= age(generation)), names[0])


def not_recorded(generation: str, recorded: Iterable[str] = GENERATIONS) -> str:
    """Return a note on a generation without recorded values, or "" for a recorded one.

    Args:
        generation: that of the broker, such as "4.4".
        recorded: the generations that have values, at least one.

    Returns:
        A note such as "4.4: not recorded, compared with 4.3".
    """
    names = list(recorded)
    if generation in names:
        return ""
    return f"{generation}: not recorded, compared with {compared_with(generation, names)}"


def listed() -> str:
    """Return the generations as part of a sentence: "3.10, 4.0 and 4.3"."""
    return f"{', '.join(GENERATIONS[:-1])} and {GENERATIONS[-1]}"
