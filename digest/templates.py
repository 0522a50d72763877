"""The mail templates as text: the packaged ones, and an operator's own folder over them.

Owns where templates lie and which names there are. Reads files by fixed names only, so that no
name can lead out of the folder. A file that cannot be read is a `TemplateError`.
"""

from __future__ import annotations

from pathlib import Path

from digest.errors import TemplateError

NAMES = (
    "digest.html",
    "digest.txt",
    "item.html",
    "item.txt",
    "subject.txt",
    "style.css",
    "dark.css",
)
"""Every template of the mail; no other name is ever looked up."""

LETTER_NAMES = ("letter.html", "letter.txt")
"""The templates of the mails that are no digest; they stand in no snapshot."""

PACKAGED = "packaged/"
"""Before a name: the packaged copy of a template that the operator's folder replaces."""

_LARGEST = 200_000  # bytes; a template is text that someone wrote by hand


def packaged_templates() -> tuple[tuple[str, str], ...]:
    """The templates that come with the program, (name, source), in the order of `NAMES`."""
    folder = _packaged_folder("mail")
    return tuple((name, _read(folder / name)) for name in NAMES)


def load_templates(folder: Path | None) -> tuple[tuple[str, str], ...]:
    """The packaged templates with those of the operator's folder in their place.

    What is replaced stays reachable as `packaged/NAME`, for `{% extends %}`. Raises: TemplateError.
    """
    packaged = dict(packaged_templates())
    if folder is None:
        return tuple(packaged.items())
    if not folder.is_dir():
        raise TemplateError(f"templates: {folder} is no folder")
    own = {name: _read(folder / name) for name in NAMES if _stands_in(folder, name)}
    originals = {PACKAGED + name: packaged[name] for name in own}
    return tuple({**packaged, **own, **originals}.items())


def letter_templates(folder: Path | None) -> tuple[tuple[str, str], ...]:
    """The templates of letters: the operator's where there are any, else the packaged ones.

    Raises: TemplateError.
    """
    packaged = _packaged_folder("mail")
    own = {n for n in LETTER_NAMES if folder and folder.is_dir() and _stands_in(folder, n)}
    return tuple(
        (n, _read((folder if n in own and folder else packaged) / n)) for n in LETTER_NAMES
    )


def own_files(folder: Path | None) -> list[Path]:
    """Where the templates of an operator's folder lie, or would."""
    return [folder / name for name in (*NAMES, *LETTER_NAMES)] if folder else []


def web_folder() -> Path:
    """Where the templates of the web pages lie."""
    return _packaged_folder("web")


def _packaged_folder(name: str) -> Path:
    """`digest/_templates/NAME` in an installed wheel, `templates/NAME` in a checkout."""
    here = Path(__file__).parent
    installed = here / "_templates" / name
    return installed if installed.is_dir() else here.parent / "templates" / name


def _stands_in(folder: Path, name: str) -> bool:
    """True for a file of that name that lies in the folder itself, also behind its links."""
    path = folder / name
    if not path.exists():
        return False
    if path.resolve().parent != folder.resolve():
        raise TemplateError(f"templates: {path} leads out of its folder; put a copy there")
    return True


def _read(path: Path) -> str:
    """The file's text. Raises: TemplateError."""
    try:
        if path.stat().st_size > _LARGEST:
            raise TemplateError(f"template {path.name}: larger than {_LARGEST:,} bytes")
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise TemplateError(f"template {path.name}: cannot be read ({error})") from error
