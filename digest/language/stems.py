"""Words without their endings.

Owns the stems: English by Snowball with the plurals and spellings it misses, Russian by Snowball.
"""

from __future__ import annotations

import re

import Stemmer

_ENGLISH = Stemmer.Stemmer("english")
_RUSSIAN = Stemmer.Stemmer("russian")
_SPELLINGS = {
    "analyses": "analysis", "hypotheses": "hypothesis", "theses": "thesis",
    "syntheses": "synthesis", "indices": "index", "matrices": "matrix", "vertices": "vertex",
    "appendices": "appendix", "criteria": "criterion", "phenomena": "phenomenon",
    "bacteria": "bacterium",
    "spectra": "spectrum", "mice": "mouse", "children": "child", "gpus": "gpu", "cpus": "cpu",
    "tpus": "tpu", "npus": "npu", "lms": "lm", "nns": "nn", "kgs": "kg", "bayes": "bayesian",
    "fibre": "fiber", "fibres": "fiber", "centre": "center", "centres": "center", "grey": "gray",
}  # fmt: skip
_BRITISH = re.compile(
    r"(behavi|col|tum|neighb|lab|fav|flav|hon|vap|hum|rum|arm|harb)our(?=s?$|ed|ing|al|hood)"
)
_SHORTENED = {
    f"{stem}l": stem
    for stem in [
        "model",
        "label",
        "signal",
        "travel",
        "cancel",
        "level",
        "channel",
        "tunnel",
        "panel",
        "fuel",
    ]
}
_STEMS: dict[str, str] = {}
_MOST_STEMS = 1_000_000


def _find_stem(word: str) -> str:
    if "а" <= word[0] <= "я":
        return str(_RUSSIAN.stemWord(word))
    if not "a" <= word[0] <= "z":
        return word
    word = _SPELLINGS.get(word, word)
    word = _BRITISH.sub(r"\1or", word).replace("isation", "ization")
    if len(word) > 3 and word[-1] == "s" and word[-2] != "s" and not set(word) & set("aeiouy"):
        return word[:-1]
    stem = str(_ENGLISH.stemWord(word))
    return _SHORTENED.get(stem, stem)


def stem(word: str) -> str:
    """The word without its ending: English by Snowball with the plurals it misses, Russian alike.

    Source: https://snowballstem.org/algorithms/english/stemmer.html
    """
    known = _STEMS.get(word)
    if known is None:
        if len(_STEMS) >= _MOST_STEMS:
            _STEMS.clear()
        known = _STEMS[word] = _find_stem(word) if word else word
    return known
