"""The book: notebooks, briefs, drills and verdicts as pages that open from a folder: ``make book``.

``staging`` writes the sources of the pages, ``building`` lets Sphinx make HTML of them with the
extension ``extension``, ``links`` proves that no link leads nowhere, ``printing`` makes PDFs.
Sphinx and what it needs are installed at the first use; the other modules do without.
"""
