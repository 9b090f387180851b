"""Sandbox of a submission, from its start to its end.

- ``start`` starts the two host processes of a submission, each with a bare environment of its own.
- ``bubblewrap`` hides files and processes from it, where bubblewrap works.
- ``untouched`` finds out, elsewhere, whether it changed the judge's files.
- ``limits`` bounds time, memory, output and the number of processes.
- ``host`` runs there: it forks a process for each function that the judge calls.
- ``hooks`` and ``store`` run in these processes: pika and sqlite3 that stop at each boundary.
  ``line`` reports boundaries to the judge, ``current`` knows the message that a thread works on.
- ``children`` and ``site`` bring the hooks into each Python that such a process starts.
- ``process_tree`` counts all processes of a submission, and ends them.
"""
