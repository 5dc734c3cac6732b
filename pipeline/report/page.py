"""What every page shares: the template environment, the one stylesheet, and a policy that allows nothing else.

`render` gives a whole HTML page. Its Content-Security-Policy names the style and the script by their hashes, so
templates use no style= and no on...= attributes, and nothing that a transcript contains can run.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from pathlib import Path
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

TEMPLATES = Path(__file__).resolve().parent / "templates"
_CONTROL = bytes({*range(32), 127} - {*b"\t\n\r"})
_HARMLESS = bytes(set(range(256)) - set(_CONTROL))
_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@functools.cache
def environment() -> Environment:
    """The template environment: autoescape on, an unknown name is an error. `pc(share)` is a share as per cent."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    made.globals["pc"] = lambda share: f"{share * 100:.2f}%"  # a picture has a hundred; a macro takes ten times as long
    return made


def render(template: str, context: object, *, script: str | None = None, media: bool = False) -> str:
    """The page that `template` makes of `context` (in it: `page`), with base.css and the named script inside.

    `media` allows sound from beside the page. Characters that no HTML page may hold are replaced by U+FFFD.
    """
    style = _text("base.css")
    code = _text(script) if script else ""
    html = (
        environment()
        .get_template(template)
        .render(
            page=context,
            # The two files are ours; neither holds an end tag, which a test checks.
            style=Markup(style),  # noqa: S704
            script=Markup(code),  # noqa: S704
            policy=policy(style, code, media=media),
        )
    )
    return html if _is_plain(html) else _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", html)


def _is_plain(html: str) -> bool:
    """Whether nothing in the page needs replacing, told from its bytes in a quarter of the time; False where unsure."""
    data = html.encode("utf-8", "surrogatepass")
    return not (data.translate(None, _HARMLESS) or b"\xed" in data or b"\xef\xbf" in data)


@functools.lru_cache
def policy(style: str, script: str, *, media: bool) -> str:
    """The Content-Security-Policy of a page with this style and script.

    `file:` stands beside 'self' because a page opened from disk has no origin that 'self' could mean everywhere.
    """
    parts = ["default-src 'none'", f"style-src {hash_source(style)}", "img-src data:"]
    if script:
        parts.append(f"script-src {hash_source(script)}")
    if media:
        parts.append("media-src 'self' file:")
    return "; ".join([*parts, "base-uri 'none'", "form-action 'none'"])


def hash_source(text: str) -> str:
    """The policy's name for an inline style or script: 'sha256-...'."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def beside(name: str) -> str:
    """A link to the file of that name beside the page; never to another host, whatever the name holds."""
    return "./" + quote(name.replace("\\", "/"), errors="replace")


@functools.cache
def _text(name: str) -> str:
    """The text of a template file with line feeds alone, as an HTML parser hands it to the hash check."""
    return (TEMPLATES / name).read_text(encoding="utf-8").replace("\r\n", "\n")
