"""Sandbox of a submission, from its start to its end.

- ``start`` starts the host process of a submission with a bare environment.
- ``bubblewrap`` hides files and processes from it, where bubblewrap is installed.
- ``limits`` bounds time, memory, output and the number of processes.
- ``host`` runs there: it forks a process for each function that the judge calls.
- ``hooks`` runs in these processes: pika and sqlite3 that stop at each boundary.
- ``process_tree`` counts all processes of a submission, and ends them.
"""
