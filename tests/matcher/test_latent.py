"""What words have in common, and what likes make of it."""

from __future__ import annotations

import numpy as np
from scipy.sparse import csr_matrix

from digest.language.stems import stem
from digest.matcher import Likes, Matcher, Statistics
from digest.matcher.latent import LISTINGS_EACH, directions
from digest.matcher.reading import read
from digest.matcher.space import LATENT_SHARE, Space
from digest.model import Keyword, Listing, Profile


def two_topics(listings: int = 200, words: int = 30) -> csr_matrix:
    """Listings whose words come from the first or from the second half of all."""
    drawn = np.random.default_rng(5).random((listings, words)) < 0.3
    first = np.arange(listings)[:, None] % 2 == 0
    return csr_matrix((drawn & (first == (np.arange(words) < words // 2))).astype(float))


def test_directions_are_those_of_the_exact_decomposition() -> None:
    """What is worked out from a random beginning lies where an exact decomposition lies."""
    rows = two_topics()
    found = directions(rows)
    exact = np.linalg.svd(rows.toarray(), full_matrices=False)[2][: found.shape[1]]
    assert found.shape[1] == 20
    np.testing.assert_allclose(found.T @ found, np.eye(20), atol=1e-5)
    np.testing.assert_allclose(np.abs(exact[:2] @ found[:, :2]), np.eye(2), atol=1e-3)


def test_the_same_rows_give_the_same_directions() -> None:
    """Nothing of the random beginning is left to chance."""
    assert np.array_equal(directions(two_topics()), directions(two_topics()))


def test_a_small_archive_has_no_directions() -> None:
    """Words that stand together in a handful of listings do so by chance."""
    assert directions(two_topics(LISTINGS_EACH - 1)).shape == (30, 0)
    assert directions(csr_matrix((50, 30))).shape == (30, 0)


def paper(number: int, *words: str) -> Listing:
    """A listing of some words and one of its own."""
    return Listing(key=f"{words[0]}-{number}", source="x", title=f"{' '.join(words)} own{number}z")


ROBOTS = [
    [("grasping", "robots"), ("manipulation", "robots"), ("grasping", "manipulation")][n % 3]
    for n in range(60)
]
FIELDS = [[("soil", "maize"), ("maize", "yield"), ("soil", "yield")][n % 3] for n in range(60)]
STORED = [paper(n, *words) for n, words in enumerate(ROBOTS + FIELDS)]


def test_a_word_speaks_for_those_that_go_with_it() -> None:
    """A weight of grasping says something for manipulation, and nothing for maize."""
    space = Space(read(STORED), Statistics.of(STORED))
    weights = np.zeros((space.width, 1))
    weights[space.words[stem("grasping")]] = 1.0
    spread = space.spread(weights).ravel()
    assert spread[space.words[stem("manipulation")]] > 0.1
    assert abs(spread[space.words["maiz"]]) < 0.01


def test_a_product_of_listings_counts_words_and_directions() -> None:
    """Spreading one of two listings' features is the same as adding what both have in common."""
    space = Space(read(STORED), Statistics.of(STORED))
    vectors = space.vectors(read(STORED))
    along = space.along(vectors)
    by_weights = vectors @ space.spread(vectors.toarray().T)
    by_parts = (vectors @ vectors.T).toarray() + LATENT_SHARE * along @ along.T
    np.testing.assert_allclose(by_weights, by_parts, atol=1e-6)
    np.testing.assert_allclose(np.diag(by_parts), 1.0, atol=1e-6)


def test_the_order_of_new_listings_changes_no_score() -> None:
    """The directions are those of a set of listings, not of a file."""
    fresh = [paper(number, "grasping", "soil") for number in range(900, 930)]
    likes = Likes(tuple(STORED[:4]))
    forth, back = (
        Matcher(Statistics.of(STORED), STORED, given).match(
            Profile((Keyword("robots", 1.0),)), STORED[1], likes
        )
        for given in (fresh, fresh[::-1])
    )
    assert forth == back
