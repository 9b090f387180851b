"""Ten labs, one for each question: a brief, a starter, and a check that judges on a live broker."""
