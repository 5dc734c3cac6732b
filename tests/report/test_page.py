"""What every page shares: the policy, the stylesheet's contrast, and links beside the page."""

import re

import pytest

from pipeline.report import page
from pipeline.report.page import TEMPLATES, beside, environment, hash_source, policy

READ_ON = {  # ground -> the text colours that people read on it
    "paper": ("text", "muted", "accent", "l0", "l1", "l2", "l3"),
    "panel": ("text", "muted", "accent", "l3"),
    "accent-soft": ("text", "muted", "accent"),
    "l0-soft": ("text", "l0"),
    "l1-soft": ("text", "l1"),
    "l2-soft": ("text", "l2"),
    "l3-soft": ("l3-text",),
    "l3-mark": ("text",),
}
DRAWN_ON = {  # ground -> the shapes that carry meaning on it
    "paper": ("rep", "manager", "customer", "unknown", "edge", "l0", "l1", "l2", "l3"),
    "panel": ("rep", "manager", "customer", "unknown"),
    "band": ("rep",),
}


def palettes():
    """The stylesheet's colours, light and dark."""
    light, dark = re.findall(r":root \{(.*?)\}", (TEMPLATES / "base.css").read_text(encoding="utf-8"), re.S)[:2]
    return {
        name: dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", text)) for name, text in (("light", light), ("dark", dark))
    }


def luminance(colour):
    """Relative luminance, WCAG 2.2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(("pairs", "least"), [(READ_ON, 4.5), (DRAWN_ON, 3.0)], ids=["text", "shapes"])
@pytest.mark.parametrize("name", ["light", "dark"])
def test_contrast(name, pairs, least):
    """WCAG 2.2, 1.4.3 and 1.4.11."""
    colours = palettes()[name]
    found = {(one, ground): contrast(colours[one], colours[ground]) for ground, ones in pairs.items() for one in ones}
    assert {pair: value for pair, value in found.items() if value < least} == {}


def test_light_and_dark_name_the_same_colours():
    assert palettes()["light"].keys() == palettes()["dark"].keys()


def test_policy_allows_the_hashes_and_nothing_else():
    said = policy("a{}", "f()", media=False)
    assert said.startswith("default-src 'none'")
    assert hash_source("a{}") in said and hash_source("f()") in said
    assert "unsafe" not in said and "media-src" not in said and "http" not in said
    assert "media-src 'self' file:" in policy("a{}", "", media=True)


def test_hash_source_is_that_of_the_standard():
    """The example of the Content Security Policy specification, level 3, section 2.3.1."""
    assert hash_source("alert('Hello, world.');") == "'sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng='"


@pytest.mark.parametrize(
    ("name", "link"),
    [
        ("audio.mp3", "./audio.mp3"),
        ("a b#c?d.mp3", "./a%20b%23c%3Fd.mp3"),
        ("//evil.example/x.mp3", ".///evil.example/x.mp3"),
        ("https://evil.example/x", "./https%3A//evil.example/x"),
        ("javascript:alert(1)", "./javascript%3Aalert%281%29"),
        ("vidéo.mp3", "./vid%C3%A9o.mp3"),
    ],
)
def test_a_link_never_leaves_the_folder(name, link):
    assert beside(name) == link


def test_style_and_script_cannot_end_their_elements():
    for name in ("base.css", "scorecard.js"):
        assert "</" not in (TEMPLATES / name).read_text(encoding="utf-8").replace("</title", "")


def test_templates_use_no_inline_style_or_handler_and_no_unescaped_text():
    for file in sorted(TEMPLATES.glob("*.html")):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"\sstyle=|\son[a-z]+=|\|\s*safe", text), file.name
    assert environment().autoescape is True


def test_an_unknown_name_in_a_template_is_an_error():
    with pytest.raises(Exception, match="undefined"):
        environment().from_string("{{ nothing }}").render()


def test_unprintable_characters_are_replaced(tmp_path, monkeypatch):
    (tmp_path / "base.css").write_text("")
    (tmp_path / "x.html").write_text("{{ page }}")
    monkeypatch.setattr(page, "TEMPLATES", tmp_path)
    page.environment.cache_clear()
    page._text.cache_clear()
    try:
        assert page.render("x.html", "a\x00b\ud800c\td") == "a\ufffdb\ufffdc\td"
    finally:
        page.environment.cache_clear()
        page._text.cache_clear()
