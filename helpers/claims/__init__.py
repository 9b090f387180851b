"""Put sentences of an interview answer on trial: compare their predictions with measurements.

An experiment is a set of cases. In each, the sentence predicts something and the broker does
something. The verdict is computed from the cases, never stated:

* **holds**: the sentence was right in every case;
* **refuted**: it was wrong in every case;
* **holds if …**: right in every case that meets the condition, wrong in every case outside it.

Anything else, and any case too close to call, fails with the numbers.
"""

from helpers.claims.cases import Case, at_least, at_most, by_generation, each, equal
from helpers.claims.checking import check, table

__all__ = ["Case", "at_least", "at_most", "by_generation", "check", "each", "equal", "table"]
