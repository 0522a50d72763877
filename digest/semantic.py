"""Sentence embeddings for the matcher, by a model of the operator's; needs the extra `semantic`.

Owns finding and reading the model: a folder on this machine, or an installed package that carries
one. Never downloads anything: what is not here is a fault, said in one line.
Source: the model2vec library, whose static models need neither a GPU nor the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from digest.errors import ConfigError

if TYPE_CHECKING:
    from model2vec import StaticModel

NEEDED = ("config.json", "model.safetensors", "tokenizer.json")
"""The files of a static model, as its library writes them."""

INSTALL = "pip install 'paper-digest[semantic]'"


class Model:
    """A model that says what texts mean; read when first asked."""

    def __init__(self, folder: Path, place: str) -> None:
        self.folder = folder
        self._place = place

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Texts x dimensions, a row of zeros for a text without a known word.

        Raises: ConfigError when the files cannot be read as a model.
        """
        rows = self._model.encode(list(texts), use_multiprocessing=False)
        return np.nan_to_num(np.asarray(rows, dtype=np.float32))

    @cached_property
    def _model(self) -> StaticModel:
        from model2vec import StaticModel  # noqa: PLC0415 - the extra, read only where it is wanted

        try:
            return StaticModel.from_pretrained(self.folder)
        except Exception as error:  # the library raises what its parts raise
            reason = " ".join(str(error).split())
            raise ConfigError(
                [f"{self._place}: {self.folder} cannot be read as a model: {reason:.200}"]
            ) from error


def find_model(named: str, base: Path, place: str) -> Model:
    """The model of a folder (relative to `base`), or else of an installed package of that name.

    Raises: ConfigError naming `place` when there is none, or the extra is not installed.
    """
    folder = _folder(named, base)
    if folder is None:
        raise ConfigError([f"{place}: {named!r} is no folder and no installed package"])
    missing = [name for name in NEEDED if not (folder / name).is_file()]
    if missing:
        raise ConfigError(
            [f"{place}: {folder} has no {missing[0]}; a model has {', '.join(NEEDED)}"]
        )
    if find_spec("model2vec") is None:
        raise ConfigError([f"{place}: reading a model needs the extra: {INSTALL}"])
    return Model(folder, place)


def _folder(named: str, base: Path) -> Path | None:
    folder = base / Path(named).expanduser()
    if folder.is_dir():
        return folder
    found = find_spec(named) if named.isidentifier() else None
    if found is None or not found.submodule_search_locations:
        return None
    package = Path(next(iter(found.submodule_search_locations)))
    inside = sorted(path.parent for path in package.rglob("tokenizer.json"))
    return inside[0] if inside else package
