"""TeX made readable, or left alone."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digest.tex import readable

EXACT = [
    # what listings really hold
    (r"$Δ$-DiT", "Δ-DiT"),
    (r"S$^4$C", "S⁴C"),
    (r"S^{2}FT", "S²FT"),
    (r"\mathcal{O}(k^{-3})", "𝒪(k⁻³)"),
    (r"$\mathcal{O}(n^{2} \log(n))$", "𝒪(n² log(n))"),
    (r"L\'evy", "Lévy"),
    (r"$\ell_p$", "ℓₚ"),
    (r"$^{11}$Be", "¹¹Be"),
    (r"$\text{GHZ}_3$", "GHZ₃"),
    (r"$G_n (z)$", "Gₙ(z)"),
    (r"$T_{max}$", "Tₘₐₓ"),
    (r"$16\,384$", "16\u202f384"),
    (r"$10-100$", "10–100"),
    (r"$3.82 \times$", "3.82×"),
    (r"$-4.9(1)$", "−4.9(1)"),
    (r"$2^{n-1}$", "2ⁿ⁻¹"),
    (r"$n\geq6$", "n ≥ 6"),
    (r"$N-$body", "N-body"),
    (r"$N-1$", "N−1"),
    (r"$[- \delta, \delta]$", "[−δ, δ]"),
    (r"$0< \delta \ll 1$", "0 < δ ≪ 1"),
    (r"$|g|\to\infty$", "|g| → ∞"),
    (r"$n \to \infty$", "n → ∞"),
    (r"$\frac{4}{3}$", "4/3"),
    (r"$\frac12$", "½"),
    (r"$( \mathcal{I}^+)$", "(ℐ⁺)"),
    (r"$\mathbb{PT}$", "ℙ𝕋"),
    (r"$\lambda_{ph}$", "λₚₕ"),
    (r"$H=-d^2/dx^2+V(x)$", "H = −d²/dx²+V(x)"),
    (r"$V(x) \neq V^*(x)$", "V(x) ≠ V*(x)"),
    (r"$I(X;Y) = H(X) - H(X|Y)$", "I(X;Y) = H(X) − H(X|Y)"),
    (r"$\mathbf{A}^2$", "𝐀²"),
    (r"$\approx$ 50", "≈ 50"),
    (r"\(\lvert E\rvert\)", "|E|"),
    (r"\(i\hbar\,\mathrm{d}/\mathrm{d}E\)", "iℏ\u202fd/dE"),
    (r"\(L^2(\mathbb R)\)", "L²(ℝ)"),
    # text
    (r"Schr\"odinger", "Schrödinger"),
    (r"Cram\'er-Rao", "Cramér-Rao"),
    (r"Monge-Amp\`ere", "Monge-Ampère"),
    (r"M{\o}ller", "Møller"),
    (r"M\o ller", "Møller"),
    (r"Polyak-{\L}ojasiewicz", "Polyak-Łojasiewicz"),
    (r"Erd\H{o}s--R\'enyi", "Erdős–Rényi"),
    (r"\v{S}im\'{\i}\v cek", "Šimíček"),
    (r"{\"u}ber", "über"),
    (r"a \emph{unified} paradigm", "a unified paradigm"),
    (r"\textit{Fast}, \textbf{deep}", "Fast, deep"),
    (r"{\it no extra price} that", "no extra price that"),
    (r"more than 10\% of C\#", "more than 10% of C#"),
    (r"shift\&add", "shift&add"),
    (r"``quoted'' words", "“quoted” words"),
    (r"10--20 -- and more", "10–20 – and more"),
    (r"Fig.~3", "Fig. 3"),
    (r"5\,GHz", "5\u202fGHz"),
    # bare formulas
    (r"2.4\times speedup", "2.4× speedup"),
    (r"asymptotic \sqrt{3}-robustness", "asymptotic √3-robustness"),
    (r"O(dm + m^2)", "O(dm + m²)"),
    (r"10^12 and 10^-3", "10¹² and 10⁻³"),
    (r"90^\circ", "90°"),
    (r"x_1^2", "x₁²"),
    (r"H_{2}O", "H₂O"),
    (r"\alpha-\beta", "α-β"),
    (r"{\cal O}(n)", "𝒪(n)"),
    # formulas
    (r"$k$-means", "k-means"),
    (r"$\hat{\theta}_i$", "θ̂ᵢ"),
    (r"$\tilde{O}(n)$", "Õ(n)"),
    (r"$\sqrt{ab}$, $\sqrt[3]{x}$", "√(ab), ∛x"),
    (r"$O(\sqrt{T})$", "O(√T)"),
    (r"$\log_2 n$", "log₂ n"),
    (r"$n\log n$", "n log n"),
    (r"$a_1, a_2, \ldots, a_n$", "a₁, a₂, …, aₙ"),
    (r"$x'$", "x′"),
    (r"$p<0.05$", "p < 0.05"),
    (r"$<10\%$", "<10%"),
    (r"$\mu$m", "μm"),
    (r"$$E=mc^2$$", "E = mc²"),
    (r"$\langle\psi|\phi\rangle$", "⟨ψ|ϕ⟩"),
    (r"$a \pm b$, $0.5\pm0.1$", "a ± b, 0.5±0.1"),
    (r"$\left( \frac{a+b}{c} \right)$", "((a+b)/c)"),
    (r"$\mathrm{SU}(2)$", "SU(2)"),
    (r"$\operatorname{rank} A$", "rank A"),
    (r"${\rm min}$", "min"),
    (r"$A^{\dagger}$", "A†"),
]

KEPT = [
    # no exact letter: the whole formula stands
    r"$N_c$",
    r"$\Gamma_\mathrm{c}$",
    r"$d_{\text{model}}$",
    r"$\{O_m \}_{m\ge 0}$",
    r"$e^{-x^2}$",
    r"$x^{1/2}$",
    r"$2\frac{a}{b}$",
    r"$\unknown{x}^2$",
    r"$\begin{matrix} a & b \end{matrix}$",
    r"e^{-x^2}",
    r"N_{c}^{2}",
    r"\foo{bar}_{2} x",
    r"\mathcal",
    r"\frac{1}",
    # no TeX at all
    r"$5 and $10",
    r"costs $5 million to US$6",
    r"US$5 million in US$",
    r"$20 to $30",
    r"\10,000",
    r"S\*: Test Time Scaling",
    r"(\eg 1.67times",
    r"snake_case_name and x_1",
    r"it\'s what we\'re",
    r"\"so\" and \'so\'",
    r"C:\alpha\beta",
    r"https://example.org/~a_{1}^2?b=$x$",
    r"--help and foo --bar",
    r"f* and g*, {error indicator}",
    "$", "$$", "\\", "\\\\", "{", "^", "_", "a^", "$x", "",
]  # fmt: skip


@pytest.mark.parametrize(("source", "shown"), EXACT)
def test_exact_tex_becomes_unicode(source: str, shown: str) -> None:
    """What Unicode can say exactly is said in Unicode."""
    assert readable(source) == shown


@pytest.mark.parametrize("source", KEPT)
def test_everything_else_stays_as_it_is(source: str) -> None:
    """What has no exact form, or is no TeX, is shown as its author wrote it."""
    assert readable(source) == source


@pytest.mark.parametrize(
    "source", [r"$\alpha_c \beta$ and $\beta$", r"\alpha_{c}\beta_{1} and \beta_{1}"]
)
def test_a_formula_is_never_half_rewritten(source: str) -> None:
    """A formula stands whole beside one that could be rewritten."""
    kept = source.partition(" and ")[0]
    assert readable(source) == f"{kept} and {readable(source.partition(' and ')[2])}"


@given(st.text())
def test_any_text_is_readable(text: str) -> None:
    """No text raises, and what is readable already stays so."""
    shown = readable(text)
    if not set("\\$^_{}`'-~") & set(text):
        assert shown == text


@given(st.text("\\${}^_ab1 ()alph'\"", max_size=120))
def test_no_dollar_is_lost_alone(text: str) -> None:
    """Dollars go in pairs, or not at all."""
    escaped = text.count("\\$")
    assert escaped or (text.count("$") - readable(text).count("$")) % 2 == 0


@pytest.mark.parametrize(
    "unit",
    [
        "$",
        "\\a",
        "\\alpha ",
        '\\"a',
        "``",
        "{\\",
        "\\emph{",
        "^{",
        "$a^{",
        "\\frac{",
        "\\(",
        "''",
        "_{a}",
    ],
)
def test_hostile_tex_takes_no_time(unit: str) -> None:
    """Fifty thousand characters of broken TeX are read in less than two seconds."""
    start = time.process_time()
    readable(unit * (50_000 // len(unit)))
    assert time.process_time() - start < 2
