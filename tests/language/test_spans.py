"""The language of keywords: what each form finds and what it does not."""

from __future__ import annotations

import pytest

from digest.language import find_spans
from digest.matcher.lexicon import Lexicon
from digest.matcher.reading import read
from digest.matcher.scoring import count_units, evidence
from digest.matcher.statistics import Statistics
from tests.matcher.listings import listing

FOUND = [
    # case, accents, Unicode forms
    ("Diffusion", "diffusion models"),
    ("diffusion", "DIFFUSION MODELS"),
    ("Schrodinger", "Schrödinger bridges"),
    ("Schrödinger", "Schrodinger bridges"),
    ("naive bayes", "Naïve Bayes revisited"),
    ("Erdos", "Erdős numbers"),
    ("Poincare", "The Poincaré ball"),
    ("efficient", "eﬃcient training"),
    ("ﬁne tuning", "fine tuning"),
    ("Straße", "STRASSE maps"),
    ("Lukasz", "Łukasz set"),
    ("Kobenhavn", "København map"),
    ("ＧＰＴ", "GPT models"),
    ("encyclopaedia", "encyclopædia pages"),
    ("H2O", "H₂O phases"),
    ("x2", "x² terms"),
    ("ΑΒΓ", "αβγ text"),
    # hyphens, spaces and joined words
    ("time step", "a time-step rule"),
    ("time step", "a timestep rule"),
    ("time-step", "a time step rule"),
    ("time-step", "timesteps are short"),
    ("timestep", "each time step"),
    ("timestep", "each time-step"),
    ("timesteps", "time steps"),
    ("data set", "large datasets"),
    ("dataset", "large data sets"),
    ("e-mail", "email digests"),
    ("email", "e-mail digests"),
    ("multi agent system", "multiagent systems"),
    ("multiagent system", "multi-agent systems"),
    ("pre-training", "pretraining"),
    ("pretraining", "pre-training"),
    ("Navier-Stokes", "the Navier–Stokes equations"),
    ("Navier Stokes", "Navier—Stokes"),
    ("FlashAttention", "flash attention kernels"),
    ("flash attention", "FlashAttention kernels"),
    ("state of the art", "a state-of-the-art method"),
    ("real-time", "real\u2010time control"),
    ("real time", "real\u2011time control"),
    ("zero-shot", "zero\u00adshot transfer"),
    ("multi_task", "multi-task"),
    ("client/server", "client-server protocols"),
    # plurals and endings
    ("network", "networks"),
    ("networks", "a network"),
    ("matrix", "sparse matrices"),
    ("index", "inverted indices"),
    ("analysis", "two analyses"),
    ("LLM", "LLMs in court"),
    ("LLMs", "an LLM in court"),
    ("GAN", "GANs"),
    ("LM", "small LMs"),
    ("quantization", "quantized weights"),
    ("quantize", "quantization"),
    ("learning", "learned features"),
    ("neuron", "neuronal"),
    ("bacteria", "a bacterium"),
    ("criterion", "criteria"),
    ("modelling", "modeling"),
    ("labelled data", "labeled data"),
    ("tumour", "tumors"),
    ("behavior", "behaviours"),
    ("optimisation", "optimization"),
    ("Alzheimer", "Alzheimer's disease"),
    ("Alzheimer's", "Alzheimer disease"),
    ("Alzheimer’s", "Alzheimer's"),
    ("fibre", "fibers"),
    ("centre", "centers"),
    # phrases in order
    ("speculative decoding", "on speculative decoding"),
    ("speculative decoding", "speculative  decodings"),
    ("mixture of experts", "Mixture-of-Experts layers"),
    ("graph neural network", "graph neural networks"),
    ("neural network", "neural\nnetwork"),
    ("hole merger", "black-hole mergers"),
    # signs, letters and digits that belong to the word
    ("C++", "templates in C++ code"),
    ("C++", "C++: a tour"),
    ("C#", "async in C#"),
    ("k-NN", "a k-NN graph"),
    ("k-NN", "kNN graphs"),
    ("kNN", "k-NN graphs"),
    ("k NN", "k-NN graphs"),
    ("3D", "3D shapes"),
    ("3D", "3-D shapes"),
    ("3-D", "3D shapes"),
    ("GPT-4", "GPT-4 is"),
    ("GPT-4", "GPT4 is"),
    ("GPT 4", "GPT-4 is"),
    ("GPT4", "GPT 4 is"),
    ("GPT-3.5", "with GPT-3.5 today"),
    ("AI", "AI for all"),
    ("A.I.", "AI"),
    ("R", "written in R"),
    ("p53", "p53 binding"),
    ("Ca2+", "Ca2+ channels"),
    ("COVID-19", "covid 19"),
    ("U-Net", "UNet"),
    ("word2vec", "Word2Vec"),
    ("1,000", "over 1,000 genomes"),
    ("TCP/IP", "TCP/IP stacks"),
    # Greek, TeX, other scripts
    ("α-divergence", "an α-divergence"),
    ("alpha-divergence", "an α-divergence"),
    ("α-divergence", "alpha divergence"),
    ("α-divergence", r"the $\alpha$-divergence"),
    ("TNF-α", "TNFα"),
    ("TNF alpha", "TNF-α"),
    ("µm", "5 μm"),
    ("β-amyloid", "beta amyloid"),
    ("ℓ_p", "ℓ_p norms"),
    ("ℓ_p", r"$\ell_p$ norms"),
    (r"$\ell_p$", "ℓₚ norms"),
    (r"$\ell_p$", "ℓ_p norms"),
    (r"$\ell_{p}$", r"$\ell_p$"),
    (r"$\ell_p$", "ℓp norms"),
    (r"\mathcal{O}", "an O notation"),
    ("deep", r"\emph{deep} nets"),
    ("Schrodinger", r"Schr\"odinger"),
    ("Holder", r"H{\"o}lder"),
    ("机器学习", "关于机器学习的研究"),
    ("学习", "机器学习"),
    ("機械", "機械学習"),
    ("학습", "기계학습을"),
    ("нейронные сети", "О нейронных сетях"),
    ("СЕТЬ", "сети"),
    ("Ёлка", "елка"),
    ("теория", "теории"),
    ("λόγος", "ΛΌΓΟΣ"),
    # exact, prefix, both, either
    ('"Flash Attention"', "flash attention"),
    ('"networks"', "Networks"),
    ('"time step"', "time-step"),
    ("“neural networks”", "neural networks"),
    ("quantiz*", "quantized"),
    ("quantiz*", "quantization"),
    ("neuro*", "Neurology"),
    ("deep learn*", "deep learners"),
    ("GPT-4*", "GPT-4o"),
    ("Schröd*", "schrodinger"),
    ("机*", "机器"),
    ("diffusion + acceleration", "acceleration of diffusion"),
    ("C++ + templates", "templates of C++"),
    ("a priori + bound", "bounds a priori"),
    ("LLM | large language model", "Large Language Models"),
    ("LLM | large language model", "LLMs"),
    ("fast + GPU | TPU", "a TPU"),
    ("fast + GPU | TPU", "fast GPUs"),
    # what surrounds a word
    ("diffusion", "(diffusion)"),
    ("diffusion", "diffusion."),
    ("diffusion", "“diffusion”"),
    ("diffusion", "diffusion\u200b"),
    ("dif\u200bfusion", "diffusion"),
    ("  deep   learning  ", "deep learning"),
    ("deep learning!", "deep learning"),
    ("deep\tlearning", "deep learning"),
]

ABSENT = [
    ("fusion", "diffusion"),
    ("AI", "as he said"),
    ("AI", "maintain"),
    ("cat", "category"),
    ("cell", "excellent"),
    ("C++", "C code"),
    ("C++", "C#"),
    ("C", "C++ code"),
    ("C#", "C++"),
    ("GPT-4", "GPT-4.5"),
    ("GPT-4", "GPT-40"),
    ("GPT-4", "GPT-3"),
    ("3D", "2D"),
    ("3D", "3"),
    ("k-NN", "k means"),
    ("decoding speculative", "speculative decoding"),
    ("neural network", "network of neural cells"),
    ("neural network", "neural. Network"),
    ("deep learning", "deep reinforcement learning"),
    ("therapist", "the rapist"),
    ("together", "to get her"),
    ("anode", "an ode"),
    ('"network"', "networks"),
    ('"Flash Attention"', "flash attentions"),
    ('"quantize"', "quantization"),
    ("quantiz*", "quantity"),
    ("quantiz*", "requantized"),
    ("diffusion + acceleration", "diffusion"),
    ("diffusion + acceleration", "acceleration"),
    ("A1", "A 10"),
    ("机器", "器机"),
    ("сеть", "сетка"),
    ("α", "β"),
    ("universal", "universe of stars '"),
    ("fast + GPU | TPU", "fast"),
    ("NOT", "nothing"),
    ("graph neural network", "graph network"),
    ("organ", "organism"),
    ("p-value", "values of p"),
    ("title:survey", ""),
    ("Ca2+", "Ca"),
    ("ion", "million"),
]


def whole_hits(term: str, title: str) -> int:
    """How often a keyword as a whole stands in a title; of one with `+` or `|`, whether."""
    lexicon = Lexicon(Statistics(10, {}))
    unit = lexicon.recipe(term).unit
    batch = read([listing(title)])
    counts = count_units(lexicon, batch)
    if term in lexicon.special:
        return int(evidence(lexicon, batch, counts)[unit].sum() > 0)
    return int(counts.title[counts.thing == unit].sum())


@pytest.mark.parametrize(("term", "title"), FOUND)
def test_a_keyword_finds_what_a_reader_would_call_the_same(term: str, title: str) -> None:
    """Each form of a keyword finds the writings of it that a reader does not tell apart."""
    assert whole_hits(term, title) == 1


@pytest.mark.parametrize(("term", "title"), ABSENT)
def test_a_keyword_does_not_find_another_word(term: str, title: str) -> None:
    """No keyword finds a word that merely contains it, or words in another order."""
    assert whole_hits(term, title) == 0


@pytest.mark.parametrize(("term", "title"), [c for c in FOUND if "+ " not in c[0]])
def test_what_is_found_can_be_shown(term: str, title: str) -> None:
    """Each writing that is found is also highlighted, within the text and not empty."""
    spans = find_spans([term], title)
    assert spans
    assert all(0 <= start < end <= len(title) for start, end in spans)


@pytest.mark.parametrize(("term", "title"), [c for c in ABSENT if "+ " not in c[0]])
def test_what_is_not_found_is_not_shown(term: str, title: str) -> None:
    """Nothing is highlighted for a keyword that is not there."""
    assert find_spans([term], title) == []


def test_the_table_is_long_enough() -> None:
    """The language is held by at least 150 cases."""
    assert len(FOUND) + len(ABSENT) >= 150
