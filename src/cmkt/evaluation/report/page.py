"""One HTML file with everything in it: styles, scripts, pictures and audio.

Everything that comes from data is escaped by the templates. Beside that the page forbids itself, by a content security
policy, every network request and every script but its own, which is named by its hash.
"""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cmkt.errors import MissingExtraError, extra_hint

if TYPE_CHECKING:
    from cmkt.evaluation.report.document import Document

TEMPLATES: Final = Path(__file__).parent / "templates"
PAGE: Final = "report.html.j2"


def render(document: Document) -> str:
    """The page.

    Raises: MissingExtraError without jinja2.
    """
    style, script = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    return str(
        _environment()
        .get_template(PAGE)
        .render(document=document, style=style, script=script, policy=_policy(style, script))
    )


def _policy(style: str, script: str) -> str:
    """What the page may do. Spaces around a style or script count for its hash, so the templates add none."""
    return (
        f"default-src 'none'; img-src data:; media-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}';"
        " base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _environment() -> Any:
    try:
        from jinja2 import Environment, FileSystemLoader, StrictUndefined
    except ImportError as error:
        raise MissingExtraError(extra_hint("jinja2", "report")) from error
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["duration"] = duration
    return environment


def duration(seconds: float) -> str:
    """
    >>> [duration(seconds) for seconds in (42.4, 185, 7384)]
    ['42 s', '3 min 5 s', '2 h 3 min']
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
