r"""Formulas in TeX as Unicode text, exact or not at all: `\hat{\theta}_i^{2}` becomes θ̂ᵢ².

Owns the symbols, the alphabets, powers and indices, and the blanks around relations.
Anything without an exact letter raises `InexactError`; the caller then shows the source.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

from pylatexenc.latex2text import get_default_latex_context_db

_TOKEN = re.compile(r"\\[A-Za-z]+\*?|\\.|\s+|.", re.DOTALL)
_DEEPEST = 12  # groups inside groups; deeper is no formula that anyone reads in a line

FONTS = {
    "mathcal": "SCRIPT", "mathscr": "SCRIPT", "cal": "SCRIPT", "mathbb": "DOUBLE-STRUCK",
    "Bbb": "DOUBLE-STRUCK", "mathds": "DOUBLE-STRUCK", "mathfrak": "FRAKTUR",
    "mathbf": "BOLD", "boldsymbol": "BOLD", "bm": "BOLD", "bf": "BOLD", "pmb": "BOLD",
    "mathrm": "", "mathit": "", "mathsf": "", "mathtt": "", "mathnormal": "", "rm": "", "it": "",
    "sf": "", "tt": "", "operatorname": "",
}  # fmt: skip
_SWITCHES = frozenset({"cal", "bf", "rm", "it", "sf", "tt"})
_WORDS = frozenset(
    {
        "text", "textrm", "textit", "textbf", "textsf", "texttt", "textsc", "textup",
        "textnormal", "mbox", "hbox", "emph",
    }
)  # fmt: skip
_NAMES = frozenset(
    {
        "arccos", "arcsin", "arctan", "arg", "cos", "cosh", "cot", "coth", "csc", "deg",
        "det", "dim", "exp", "gcd", "hom", "inf", "ker", "lg", "lim", "liminf", "limsup",
        "ln", "log", "max", "min", "mod", "Pr", "sec", "sin", "sinh", "sup", "tan", "tanh",
    }
)  # fmt: skip
_FRACTIONS = frozenset({"frac", "tfrac", "dfrac", "nicefrac", "sfrac"})
_MARKS = {
    "hat": "\u0302", "widehat": "\u0302", "tilde": "\u0303", "widetilde": "\u0303",
    "bar": "\u0304", "overline": "\u0305", "vec": "\u20d7", "dot": "\u0307", "ddot": "\u0308",
    "check": "\u030c", "breve": "\u0306", "acute": "\u0301", "grave": "\u0300",
    "mathring": "\u030a", "underline": "\u0332",
}  # fmt: skip
_SIZES = re.compile(r"left|right|middle|[bB]igg?[lrm]?")
_SILENT = frozenset(
    {
        "displaystyle", "textstyle", "scriptstyle", "limits", "nolimits", "nobreak",
        "ensuremath",
    }
)  # fmt: skip
_BLANKS = {",": "\u202f", ":": "\u202f", ";": " ", " ": " ", "quad": " ", "qquad": " ", "!": ""}
_ROOTS = {"": "√", "2": "√", "3": "∛", "4": "∜"}
_HALVES = {
    "1/2": "½", "1/3": "⅓", "2/3": "⅔", "1/4": "¼", "3/4": "¾", "1/5": "⅕", "2/5": "⅖", "3/5": "⅗",
    "4/5": "⅘", "1/6": "⅙", "5/6": "⅚", "1/8": "⅛", "3/8": "⅜", "5/8": "⅝", "7/8": "⅞",
}  # fmt: skip
_MORE_SYMBOLS = {
    "hbar": "ℏ", "ne": "≠", "gets": "←", "iff": "⇔", "implies": "⇒", "land": "∧", "lor": "∨",
    "neg": "¬", "colon": ":", "Re": "ℜ", "Im": "ℑ", "|": "‖", "{": "{", "}": "}", "%": "%",
    "&": "&", "#": "#", "_": "_", "$": "$", "prime": "′", "bullet": "•", "models": "⊨",
    "vDash": "⊨", "degree": "°", "leadsto": "⇝", "dots": "…", "lbrack": "[", "rbrack": "]",
    "ddagger": "‡", "owns": "∋", "Box": "□", "checkmark": "✓", "triangle": "△", "AA": "Å",
    "imath": "ı", "jmath": "ȷ", "lVert": "‖", "rVert": "‖",
    "lvert": "|", "rvert": "|", "vert": "|", "mid": "∣", "lt": "<", "gt": ">", "eth": "ð",
    "cdotp": "·", "varDelta": "Δ", "varGamma": "Γ", "varOmega": "Ω", "trianglelefteq": "⊴",
}  # fmt: skip
_RELATIONS = frozenset("=<>≤≥≠≈≡∼≃≅∝∈∉∋⊂⊃⊆⊇⊄⊊⊋≪≫→←↔⇒⇐⇔⟶⟵⟹⟺↦≲≳⊢⊨≺≻≼≽⩽⩾≦≧≜≐⇝∣↪↠⟼")
_SIGNS = frozenset("+−±∓")

_HIGH = dict(
    zip(
        "0123456789+−=()abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVWβγδθφχ*∗′†‡∘°",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂᵝᵞᵟᶿᵠᵡ**′†‡°°",
        strict=True,
    )
)
_LOW = dict(
    zip(
        "0123456789+−=()aehijklmnoprstuvxβγρφχ",
        "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓᵦᵧᵨᵩᵪ",
        strict=True,
    )
)


class InexactError(ValueError):
    """The formula, or a part of it, has no exact form in Unicode."""


@dataclass(slots=True)
class _Atom:
    """A piece of a formula. `kind` is ord, rel, sign, name, blank or comma."""

    text: str
    kind: str = "ord"


def formula(source: str) -> str:
    """The formula (without its dollars) as Unicode text. Raises: InexactError."""
    parser = _Parser(source)
    shown = _join(parser.atoms())
    if not shown or parser.at < len(parser.tokens):
        raise InexactError(source)
    return shown


def atom(source: str) -> tuple[str, int]:
    """The one symbol that `source` opens with, its powers and indices included, and its length.

    A blank after a bare macro belongs to it only where a letter follows. Raises: InexactError.
    """
    parser = _Parser(source)
    atoms = parser.one()
    length = sum(map(len, parser.tokens[: parser.at]))
    shown = _join(atoms)
    return unicodedata.normalize("NFC", shown), length


def is_known(macro: str) -> bool:
    """True for a macro that a bare text may hold and that has an exact form."""
    known = macro in symbols() or macro in FONTS or macro in _NAMES or macro in _MARKS
    return (known and macro not in _SWITCHES) or macro in _FRACTIONS or macro == "sqrt"


@lru_cache(maxsize=1)
def symbols() -> dict[str, str]:
    """The macros that stand for one character, by name."""
    context = get_default_latex_context_db()
    table = {}
    for category in context.categories():
        for spec in context.iter_macro_specs([category]):
            shown = spec.simplify_repl
            if isinstance(shown, str) and len(shown) == 1 and ord(shown) > 0xA0:
                table[str(spec.macroname)] = shown
    return {**table, **_MORE_SYMBOLS}


class _Parser:
    """Reads tokens from left to right; `at` is the next one."""

    def __init__(self, source: str) -> None:
        self.tokens: list[str] = _TOKEN.findall(source)
        self.at = 0
        self.depth = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.at += 1
        if not token:
            raise InexactError
        return token

    def atoms(self) -> list[_Atom]:
        """The atoms up to the end or the closing brace (left in place)."""
        found: list[_Atom] = []
        while self.peek() and self.peek() != "}":
            if self.peek() in {"^", "_"}:
                self.script(found)
            elif self.peek()[1:] in _SWITCHES and self.peek()[0] == "\\":
                found.append(_Atom(_in_font(self.take()[1:], _join(self.atoms()))))
            else:
                found += self.symbol()
        return found

    def one(self) -> list[_Atom]:
        """One symbol and the scripts that follow it."""
        found = self.symbol()
        while self.peek() in {"^", "_"}:
            self.script(found)
        return found

    def symbol(self) -> list[_Atom]:
        """What the next token, with its arguments, stands for."""
        piece = self.take()
        if piece == "{":
            return self.group()
        if piece[0] == "\\":
            return self.macro(piece[1:])
        if piece.isspace():
            return [_Atom(" ", "blank")]
        return [_character(piece)]

    def group(self) -> list[_Atom]:
        """The atoms of a group whose opening brace is taken."""
        self.depth += 1
        if self.depth > _DEEPEST:
            raise InexactError
        found = self.atoms()
        if self.take() != "}":
            raise InexactError
        self.depth -= 1
        return found

    def argument(self) -> str:
        """The next argument, a group or a single symbol, as text."""
        while self.peek().isspace():
            self.take()
        return _join(self.symbol())

    def words(self) -> str:
        """The next group as running text, blanks kept."""
        while self.peek().isspace():
            self.take()
        if self.take() != "{":
            raise InexactError
        words = []
        while (token := self.take()) != "}":
            if token in set("{\\$^_") or token[0] == "\\":
                raise InexactError
            words.append(token)
        return "".join(words)

    def script(self, found: list[_Atom]) -> None:
        """Hang a power or an index on the atom before it."""
        table = _HIGH if self.take() == "^" else _LOW
        letters = re.sub(r"\s", "", self.argument()).replace("ϕ", "φ")
        if not letters or not set(letters) <= table.keys():
            raise InexactError
        while found and found[-1].kind == "blank":
            found.pop()
        shown = "".join(table[c] for c in letters)
        if found and found[-1].kind in {"ord", "name"}:
            found[-1].text += shown
        else:
            found.append(_Atom(shown))

    def macro(self, name: str) -> list[_Atom]:
        """What a macro, with its arguments, stands for."""
        name = name.rstrip("*") if len(name) > 1 else name
        if name in _BLANKS:
            return [_Atom(_BLANKS[name], "thin" if name in {",", ":", "!"} else "blank")]
        if name in _SILENT:
            return []
        if _SIZES.fullmatch(name):
            return self.delimiter()
        if name in _NAMES:
            return [_Atom(name, "name")]
        if shown := symbols().get(name):
            return [_character(shown)]
        return self.function(name)

    def delimiter(self) -> list[_Atom]:
        r"""The delimiter after `\left` or `\big`; a dot is none."""
        while self.peek().isspace():
            self.take()
        return [] if self.peek() == "." and self.take() else self.symbol()

    def function(self, name: str) -> list[_Atom]:
        """A macro that takes arguments."""
        if name in _WORDS:
            return [_Atom(self.words())]
        if name in FONTS:
            kind = "name" if name == "operatorname" else "ord"
            return [_Atom(_in_font(name, self.argument()), kind)]
        if name in _MARKS:
            return [_Atom(_marked(self.argument(), _MARKS[name]))]
        if name in _FRACTIONS:
            return [_Atom(_fraction(self.argument(), self.argument()), "fraction")]
        if name == "sqrt":
            return [_Atom(self.root())]
        raise InexactError(name)

    def root(self) -> str:
        """A square, cube or fourth root."""
        degree = ""
        if self.peek() == "[":
            self.take()
            while (token := self.take()) != "]":
                degree += token
        body = self.argument()
        if degree not in _ROOTS or not body:
            raise InexactError
        return _ROOTS[degree] + (body if _is_single(body) else f"({body})")


def _character(letter: str) -> _Atom:
    """A single character of a formula."""
    if letter in {"&", "%", "#", "\\"}:
        return _Atom(letter)
    if letter == "-":
        return _Atom("−", "sign")
    if letter == "~":
        return _Atom(" ", "blank")
    if letter == "'":
        return _Atom("′")
    kinds = (("rel", _RELATIONS), ("sign", _SIGNS), ("comma", frozenset(",;")))
    return _Atom(letter, next((kind for kind, letters in kinds if letter in letters), "ord"))


def _in_font(macro: str, letters: str) -> str:
    """The letters in an alphabet of Unicode; a bold or upright word stays as it is."""
    font = FONTS[macro]
    if not letters:
        raise InexactError
    if not font or (font == "BOLD" and len(letters) > 1):
        return letters
    return "".join(_letter_in_font(letter, font) for letter in letters)


def _letter_in_font(letter: str, font: str) -> str:
    """The letter or digit in the font `SCRIPT`, `DOUBLE-STRUCK`, `FRAKTUR` or `BOLD`."""
    full = unicodedata.name(letter, "")
    name = re.sub(r"^(?:LATIN|GREEK) | LETTER", "", full)
    named = {"FRAKTUR": "BLACK-LETTER"}.get(font, font)
    for candidate in (f"{named} {name}", f"MATHEMATICAL {font} {name}"):
        try:
            return unicodedata.lookup(candidate)
        except KeyError:
            continue
    raise InexactError


def _marked(letter: str, mark: str) -> str:
    """One letter with a mark over it."""
    if len(letter) != 1:
        raise InexactError
    return unicodedata.normalize("NFC", letter + mark)


def _fraction(over: str, under: str) -> str:
    """`½` where that letter exists, else `a/b` with brackets where they are needed."""
    if not over or not under:
        raise InexactError
    if half := _HALVES.get(f"{over}/{under}"):
        return half
    over, under = (text if _is_single(text) else f"({text})" for text in (over, under))
    return f"{over}/{under}"


def _is_single(text: str) -> bool:
    """True for a number or one letter with its marks and scripts: what needs no brackets."""
    return text.isdigit() or len(re.sub(r"[\u0300-\u036f⁰-₟ᵃ-ᶿ¹²³]", "", text)) == 1


def _join(atoms: list[_Atom]) -> str:
    """The atoms in a line with blanks where a typesetter leaves room."""
    blanks = [atom.kind == "blank" for atom in atoms]
    seen = [(a, i) for i, a in enumerate(atoms) if a.kind != "blank" or a.text != " "]
    seen = [(a, i) for a, i in seen if a.kind != "blank"]
    shown = ""
    for place, (piece, index) in enumerate(seen):
        after = seen[place + 1][0] if place + 1 < len(seen) else None
        wide = blanks[index - 1 : index] == [True] and blanks[index + 1 : index + 2] == [True]
        shown += _spaced(piece, shown, after, wide, blanks[index + 1 : index + 2] == [True])
    return shown.strip()


def _spaced(piece: _Atom, before: str, after: _Atom | None, wide: bool, blank: bool) -> str:
    """One atom with the blanks around it; `wide` and `blank` say what the source leaves."""
    text = piece.text
    between = bool(before.strip() and after)
    if piece.kind == "rel" or (piece.kind == "sign" and wide):
        return f" {text} " if between else text
    if piece.kind == "sign":
        return "-" if not after and text == "−" else text
    if piece.kind == "comma":
        return f"{text} " if blank and after else text
    if piece.kind == "name":
        return _spaced_name(text, before[-1:], after)
    joins = before[-1:].isalnum() and bool(after and after.text[:1].isalnum())
    if piece.kind == "thin":
        return text if joins else ""
    if piece.kind == "fraction" and text not in _HALVES.values():
        _check_fraction(before, after)
    return text


def _spaced_name(name: str, before: str, after: _Atom | None) -> str:
    """A function's name, parted from the letters around it: `n log n`, `log(n)`."""
    left = " " if before.isalnum() or before == ")" else ""
    right = " " if after and after.kind in {"ord", "name"} and _opens_word(after.text) else ""
    return left + name + right


def _check_fraction(before: str, after: _Atom | None) -> None:
    """Refuse `2a/b` for two times a over b. Raises: InexactError."""
    if before[-1:].isalnum() or (after and after.text[:1].isalnum()):
        raise InexactError


def _opens_word(text: str) -> bool:
    """True where a function's name needs a blank before its argument."""
    return text[:1].isalnum() or text[:1] in "√|‖∣"
