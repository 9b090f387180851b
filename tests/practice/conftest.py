"""A learner with a folder of his own, whose answers and whose days are set by a test."""

from datetime import datetime, timedelta, timezone

import pytest

from practice import deck, material, state

ZONE = timezone(timedelta(hours=1))


class Learner:
    """Answers prompts from a script; a list in it is chosen from by the prompt's words."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = datetime(2026, 11, 28, 18, 0, tzinfo=ZONE)
        self.answers: list[str] = []
        self.prompts: list[str] = []
        monkeypatch.setattr(state, "now", lambda: self.now)
        monkeypatch.setattr("builtins.input", self._input)

    def later(self, **spans: float) -> None:
        """Move the clock."""
        self.now += timedelta(**spans)

    def _input(self, prompt: str) -> str:
        self.prompts.append(prompt)
        print(prompt, end="")
        if not self.answers:
            raise EOFError
        answer = self.answers.pop(0)
        print(answer)
        return answer

    def reviewed(self, card: str, rating: int, **facts) -> state.Event:
        """Keep a review as practising would."""
        return state.record("review", self.now, card=card, rating=rating, **facts)


@pytest.fixture(scope="session")
def cards():
    """Return the cards of all questions that are there for anybody."""
    return deck.for_anybody(material.questions())


@pytest.fixture
def learner(tmp_path, monkeypatch):
    monkeypatch.setenv("RABBIT_LAB_WORK", str(tmp_path / "work"))
    return Learner(monkeypatch)
