"""The names of arXiv's archives and categories. Source: https://arxiv.org/category_taxonomy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_PARTS = {
    "astro-ph": "CO EP GA HE IM SR",
    "cond-mat": "dis-nn mes-hall mtrl-sci other quant-gas soft stat-mech str-el supr-con",
    "cs": "AI AR CC CE CG CL CR CV CY DB DC DL DM DS ET FL GL GR GT HC IR IT LG LO MA MM MS NA NE"
    " NI OH OS PF PL RO SC SD SE SI SY",
    "econ": "EM GN TH",
    "eess": "AS IV SP SY",
    "math": "AC AG AP AT CA CO CT CV DG DS FA GM GN GR GT HO IT KT LO MG MP NA NT OA OC PR QA RA"
    " RT SG SP ST",
    "nlin": "AO CD CG PS SI",
    "physics": "acc-ph ao-ph app-ph atm-clus atom-ph bio-ph chem-ph class-ph comp-ph data-an ed-ph"
    " flu-dyn gen-ph geo-ph hist-ph ins-det med-ph optics plasm-ph pop-ph soc-ph space-ph",
    "q-bio": "BM CB GN MN NC OT PE QM SC TO",
    "q-fin": "CP EC GN MF PM PR RM ST TR",
    "stat": "AP CO ME ML OT TH",
}
_ALONE = "gr-qc hep-ex hep-lat hep-ph hep-th math-ph nucl-ex nucl-th quant-ph"
CATEGORIES = frozenset(
    [f"{archive}.{part}" for archive, parts in _PARTS.items() for part in parts.split()]
    + list(_PARTS)
    + _ALONE.split()
)
_FOLDED = {name.lower(): name for name in CATEGORIES}


def fault_in_categories(names: Iterable[str]) -> str:
    """What is wrong with the first name that arXiv does not know, with the nearest it does."""
    for name in names:
        if name not in CATEGORIES:
            near = difflib.get_close_matches(name.lower().strip(), _FOLDED, n=1, cutoff=0.5)
            hint = f"; did you mean {_FOLDED[near[0]]!r}?" if near else ""
            return f"{name!r} is no arXiv category{hint}"
    return ""


def oai_set(name: str) -> str:
    """The OAI-PMH set of a category: `cs.CL` is in `cs:cs:CL`, `hep-th` in `physics:hep-th`."""
    archive, dot, part = name.partition(".")
    group = (
        archive
        if archive in {"cs", "econ", "eess", "math", "q-bio", "q-fin", "stat"}
        else "physics"
    )
    if dot:
        return f"{group}:{archive}:{part}"
    return group if archive == group else f"{group}:{archive}"
