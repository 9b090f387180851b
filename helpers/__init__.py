"""The parts that notebooks, labs and tests share.

Floors, each importing only from floors below it: ``errors`` and ``waits``, ``broker`` (0);
``claims``, ``history``, ``metrics``, ``predict``, ``services``, ``topology`` (1); ``publish``,
``consume``, ``chaos``, ``ledgers``, ``stored`` (2); ``plots`` and the command line (3).
"""
