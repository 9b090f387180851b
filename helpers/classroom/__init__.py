"""A class on one machine: seats for its learners, and turns for their cells."""
