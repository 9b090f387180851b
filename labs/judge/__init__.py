"""Judge a learner's code by running it on a live broker and killing it at every boundary.

``model`` defines labs and verdicts, ``checking`` makes a verdict of one submission, ``trial`` runs
the submission and decides when it dies, ``watch`` waits for what it does, ``sweep`` goes through
all crash points. ``sandbox`` is the other side: it runs around and in the learner's processes.
``instructor`` grades classes and proves the checks; students do not get it.
"""
