"""What all labs share: a learner's code on trial, killed at every boundary, judged by the outcome.

``model`` says what a lab and a verdict are, ``trial`` runs a learner's code and decides when it
dies, ``sweep`` goes through all crash points, ``checking`` turns it into a verdict. ``hooks`` and
``host`` are the other side: they run in the learner's processes.
"""
