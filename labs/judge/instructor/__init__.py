"""Commands for instructors, which students do not get.

- ``commands`` adds them to ``python -m labs.judge``.
- ``collecting`` finds the submissions of a class, ``grading`` judges them, ``report`` writes the
  grades and the report.
- ``proof`` judges solutions whose verdicts are known, to prove the checks.
- ``handout`` writes the students' version.
"""
