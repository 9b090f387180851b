"""Commands for instructors, which students do not get.

- ``commands`` adds them to ``python -m labs.judge``.
- ``grading`` judges the submissions of a class; ``report`` writes its grades and its report.
- ``proof`` judges solutions whose verdicts are known, to prove the checks.
- ``handout`` writes the students' version.
"""
