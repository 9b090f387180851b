"""What a class does not know, from the practice that its learners handed in."""

import shutil

import pytest

from labs.judge.instructor import collecting, report
from practice import learners, material, rubrics, state
from practice.schedule import AGAIN, GOOD


@pytest.fixture
def handed_in(learner, tmp_path, monkeypatch):
    """Return a function that writes one learner's practice: marks of one card, by their days."""

    def write(name, card, *marks):
        folder = tmp_path / "class" / name
        folder.mkdir(parents=True)
        monkeypatch.setenv("RABBIT_LAB_WORK", str(folder))
        for said in marks:
            learner.later(days=1)
            learner.reviewed(card, GOOD if "n" not in said else AGAIN, said=said)
        return folder.parent

    return write


def ids(question):
    return [point.id for point in rubrics.read(question).main.points]


def test_the_point_that_most_lack_comes_first(handed_in):
    first, second, third = ids("q09")[:3]
    handed_in("anna", "q09.main", {first: "n", second: "n", third: "y"})
    handed_in("ben", "q09.main", {first: "n", second: "y", third: "y"})
    folder = handed_in("chloe", "q09.main", {first: "p", second: "y", third: "y"})
    found = learners.lacking(collecting.practised(folder))
    says = {point.id: point.says for point in rubrics.read("q09").main.points}
    assert [(one.says, one.lacking, one.made) for one in found] == [
        (says[first], ("anna", "ben", "chloe"), ()),
        (says[second], ("anna",), ("ben", "chloe")),
    ]
    assert found[0].question == f"Q09 · {material.drill_of('q09').title}"


def test_the_last_answer_counts(handed_in):
    first, second = ids("q03")[:2]
    folder = handed_in("anna", "q03.main", {first: "n", second: "y"}, {first: "y", second: "n"})
    (one,) = learners.lacking(collecting.practised(folder))
    assert one.says == rubrics.read("q03").main.points[1].says


def test_what_is_handed_in_can_be_anything(tmp_path):
    file = tmp_path / "practice.jsonl"
    for content in (b"", b"\xff\xfe", b"[" * 100_000, b'{"kind": "review", "said": {"a": 1}}\n'):
        file.write_bytes(content)
        assert learners.lacking({"anna": file}) == []
    state_of_nobody = state.read(tmp_path / "none.jsonl")
    assert state_of_nobody.events == ()


def test_a_file_of_practice_is_found_beside_the_labs(tmp_path):
    for name in ("anna/practice.jsonl", "anna/lab03.py", "ben_practice.jsonl", "ben_lab03.py",
                 "chloe/lab03.py", "dan/old/practice.jsonl", "dan/practice.jsonl", "dan/lab03.py",
                 ".hidden/practice.jsonl"):  # fmt: skip
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("{}\n" * (2 if "old" in name else 1))
    found = collecting.practised(tmp_path)
    assert {who: path.relative_to(tmp_path).as_posix() for who, path in found.items()} == {
        "anna": "anna/practice.jsonl", "ben": "ben_practice.jsonl", "dan": "dan/old/practice.jsonl",
    }  # fmt: skip
    submissions, skipped = collecting.collect(tmp_path, None)
    assert [one.learner for one in submissions] == ["anna", "ben", "chloe", "dan"]
    assert [one.files for one in skipped] == [(".hidden",)]


def test_one_that_is_too_big_is_not_read_and_told(tmp_path, monkeypatch):
    monkeypatch.setattr(collecting, "BIGGEST_PRACTICE_BYTES", 10)
    (tmp_path / "anna").mkdir()
    (tmp_path / "anna" / "practice.jsonl").write_text("{}\n" * 20)
    (tmp_path / "anna" / "lab03.py").write_text("x = 1")
    assert collecting.practised(tmp_path) == {}
    _, (skipped,) = collecting.collect(tmp_path, None)
    assert str(skipped) == "anna: practice.jsonl: it has 0.0 MB, and at most 1e-05 MB are read"


def test_the_report_shows_it(handed_in, tmp_path):
    first = ids("q09")[0]
    folder = handed_in("anna", "q09.main", {first: "n"})
    file = tmp_path / "report.html"
    report.write_report([], [], file, notes=[], practised=collecting.practised(folder))
    text = file.read_text(encoding="utf-8")
    assert "1 learner handed in what they practised" in text
    assert rubrics.read("q09").main.points[0].says.split("'")[0] in text
    shutil.rmtree(folder)
    report.write_report([], [], file, notes=[], practised={})
    assert "Practice" not in file.read_text(encoding="utf-8")
