"""The page on which JupyterLab opens."""

import re

import pytest

from helpers import predict
from labs.judge.instructor import handout
from practice import progress, start, state
from practice.schedule import AGAIN


@pytest.fixture
def page(cards, learner):
    def of() -> str:
        look = progress.look(cards, state.history(), learner.now.date())
        return start.page(look, learner.now)

    return of


def test_every_link_leads_to_a_file(page):
    links = re.findall(r"\]\(([^)]+)\)", page())
    assert len(links) > 20
    assert [link for link in links if not (start.PAGE.parent / link).is_file()] == []


def test_each_question_has_its_row_and_what_was_done_is_in_it(page, learner):
    predict.commit("q09.3", "How many?", 15)
    predict.compare("q09.3", 60)
    learner.reviewed("q09.1.verdict", AGAIN)
    learner.later(days=1)
    text = page()
    rows = [line for line in text.splitlines() if line.startswith("| Q")]
    assert [row[2:5] for row in rows] == [f"Q{n:02d}" for n in range(1, 11)]
    assert re.search(r"^\| Q09 .*\| 1 of 2 \| 0 of 3 \| \[not tried\]\(.*\) \| 1 of \d+ \| 1 \|$",
                     rows[8])  # fmt: skip
    assert text.index("1 of your cards come back today: `make practice`") < text.index("| Q01")
    assert "As of Sunday, 2026-11-29 18:00" in text


def test_it_is_the_learners_and_not_handed_out(learner, monkeypatch, tmp_path):
    monkeypatch.setattr(start, "PAGE", tmp_path / "start.md")
    assert start.write().read_text() == start.PAGE.read_text() != ""
    (tmp_path / "notebooks").mkdir()
    own = tmp_path / "notebooks" / "start.md"
    own.write_text("")
    own.with_name("figure.md").write_text("")
    assert [path.name for path in handout.files(tmp_path)] == ["figure.md"]
