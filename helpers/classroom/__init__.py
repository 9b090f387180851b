"""A class on one machine: seats for its learners, and whose turn it is to measure."""
