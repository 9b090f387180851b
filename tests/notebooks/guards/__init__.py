"""Rules for notebooks that can be checked by reading them.

Each guard takes a Book and returns a sentence for each mistake.
"""

from tests.notebooks.guards import anatomy, content, form, turns
from tests.notebooks.guards.book import Book, Guard

GUARDS: list[Guard] = [
    form.is_valid,
    form.is_normalised,
    form.has_run_in_order,
    form.has_clean_outputs,
    form.has_small_files,
    form.names_no_machine,
    anatomy.has_sections_in_order,
    anatomy.keeps_only_the_cluster_beyond,
    anatomy.has_measured_sizes,
    anatomy.has_prose_between_code,
    anatomy.has_short_answer,
    anatomy.has_drill,
    content.has_checked_claims,
    content.shows_whole_evidence,
    content.claims_each_once,
    content.has_one_surprise,
    content.compares_every_generation,
    content.ends_with_claims_table,
    content.has_known_tags,
    content.leaves_the_guess_open,
    content.has_plain_code,
    content.shows_figures_plainly,
    turns.has_turns,
]

__all__ = ["GUARDS", "Book", "Guard"]
