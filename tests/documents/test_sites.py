"""Sites: one spelling for every way to write a host, and none where there is no host."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from social_provenance.documents.sites import web_site

SAME = [
    "http://site.org/a",
    "http://user:pw@site.org/a",
    "http://a@b:c@d@site.org",
    "HTTP://WWW.Site.org/b",
    "https://site.org./c",
    "https://www.site.org:8080?q=1",
    "https://site.org:/c",
    "//site.org/d",
    "//www.site.org",
    " https://site.org/e\n",
    "https://si\tte.org/e",
    "https://site.org\\f",
    "https:\\\\site.org\\f",
    "ftp://site.org/g",
    "site.org",
    "www.site.org/h",
    "site.org:80/h",
    "site.org#top",
    "SITE.ORG?x=//other.org/",
    "https://site.org#@other.org/",
    "https://site.org?u=a@other.org",
]


@pytest.mark.parametrize("url", SAME)
def test_every_way_to_write_a_host_is_one_site(url: str) -> None:
    assert web_site(url) == "site.org"


@pytest.mark.parametrize(
    ("url", "site"),
    [
        ("https://例え.jp/x", "例え.jp"),
        ("https://xn--r8jz45g.jp/x", "例え.jp"),
        ("xn--r8jz45g.jp", "例え.jp"),
        ("https://[::1]/x", "[::1]"),
        ("https://[::1]:80/x", "[::1]"),
        ("https://127.0.0.1:8/x", "127.0.0.1"),
        ("127.0.0.1/x", "127.0.0.1"),
        ("https://news.site.org", "news.site.org"),
        ("https://wwww.site.org", "wwww.site.org"),
        ("https://localhost/", "localhost"),
        ("site.xn--p1ai/x", "site.рф"),
        ("https://faß.de", "faß.de"),
        ("https://xn--fa-hia.de", "faß.de"),
        ("https://\uff53ite\uff0eorg", "site.org"),
        ("https://例え\u3002jp/x", "例え.jp"),
        ("https://xn--a-.org", "xn--a-.org"),
        ("https://xn--zzzzzz.org", "xn--zzzzzz.org"),
        ("https://index.html", "index.html"),
        ("site.pdf.org", "site.pdf.org"),
    ],
)
def test_other_hosts_are_other_sites(url: str, site: str) -> None:
    assert web_site(url) == site


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "urn:uuid:1234",
        "mailto:a@site.org",
        "file:///a/b",
        "/a/b.org",
        "a",
        "a b.org",
        "1.5",
        "https://",
        "?",
        "a.html",
        "A.PHP?x=1",
    ],
)
def test_what_names_no_host_has_no_site(url: str | None) -> None:
    assert web_site(url) is None


LABELS = st.text(st.characters(categories=["Ll", "Lo", "Nd"]), min_size=1, max_size=8).filter(
    lambda label: unicodedata.normalize("NFKC", label).lower() == label and not label.isascii()
)


@given(LABELS)
def test_letters_and_their_punycode_are_one_site(label: str) -> None:
    code = label.encode("punycode").decode()
    assert web_site(f"https://xn--{code}.org/x") == web_site(f"https://{label}.org/y") == f"{label}.org"


@given(st.text(st.characters(codec="ascii", categories=["Ll", "Nd", "Pd"]), max_size=12))
def test_any_punycode_is_read_or_left(code: str) -> None:
    site = web_site(f"https://xn--{code}.org")
    assert site is not None
    site.encode()  # no lone surrogate


@given(st.text())
def test_any_text_has_a_site_in_one_spelling_or_none(text: str) -> None:
    for url in (text, f"https://{text}", f"//{text}"):
        site = web_site(url)
        assert site is None or (site and site == site.strip() and "/" not in site)
