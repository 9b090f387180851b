"""The check of links: each kind of link that leads nowhere is found, and no other."""

import pytest

from book import links

PAGE = '<html><body><h1 id="top">x</h1>{}</body></html>'
FINE = [
    '<a href="other/b.html">b</a>', '<a href="other/b.html#top">b</a>', '<a href="#top">x</a>',
    '<a href="#">x</a>', '<img src="a%20b.png">', '<a href="https://www.rabbitmq.com/#x">out</a>',
    '<a href="mailto:x@example.org">m</a>', '<form action="other/b.html?q=1"></form>',
]  # fmt: skip


@pytest.fixture
def book(tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "b.html").write_text(PAGE.format('<a href="../index.html">i</a>'))
    (tmp_path / "a b.png").write_bytes(b"")
    return tmp_path


@pytest.mark.parametrize("html", FINE)
def test_links_that_lead_somewhere_are_counted(book, html):
    (book / "index.html").write_text(PAGE.format(html))
    followed, wrong = links.check(book)
    assert wrong == []
    assert followed == 1 + (html.startswith(("<a", "<form")) and ":" not in html)


@pytest.mark.parametrize(
    ("html", "sentence"),
    [
        ('<a href="c.html">x</a>', "index.html links to c.html: there is no such file"),
        ('<a href="other">x</a>', "index.html links to other: there is no such file"),
        ('<a href="other/b.html#no">x</a>',
         "index.html links to other/b.html#no: the page has no such place"),
        ('<a href="#no">x</a>', "index.html links to #no: the page has no such place"),
        ('<img src="c.png">', "index.html links to c.png: there is no such file"),
        ('<script src="https://cdn.example/x.js"></script>',
         "index.html loads https://cdn.example/x.js from outside"),
        ('<link href="//cdn.example/x.css">',
         "index.html loads //cdn.example/x.css from outside"),
    ],
)  # fmt: skip
def test_links_that_lead_nowhere_are_named(book, html, sentence):
    (book / "index.html").write_text(PAGE.format(html))
    assert links.check(book)[1] == [sentence]
