"""What a table of characters starts from: which characters stand beside which, counted and factorised.

Reference: Levy and Goldberg 2014, Neural word embedding as implicit matrix factorization, sections 3.2 and 5.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import torch

if TYPE_CHECKING:
    from torch import Tensor

    from cmkt.text.language.sequences import Sequences

SCALE: Final = 0.02
"""Standard deviation of the entries, as transformers draws random ones."""


def neighbour_embeddings(sequences: Sequences, *, vocabulary_size: int, width: int) -> Tensor:
    """(V, D) float32: the positive mutual information (nats) of neighbouring characters, its largest singular values.

    Tokens that never occur, and dimensions beyond the vocabulary's, get small values.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.linalg import svds

    ids = sequences.ids.astype(np.int64)
    inside = np.ones(ids.size, dtype=bool)
    inside[sequences.starts[:-1]] = False
    after, before = ids[inside], ids[np.flatnonzero(inside) - 1]
    one = np.ones(after.size)
    counts = coo_matrix((one, (before, after)), shape=(vocabulary_size, vocabulary_size)).tocsr()
    counts = (counts + counts.T).tocoo()
    total = np.bincount(counts.row, weights=counts.data, minlength=vocabulary_size)
    information = np.log(counts.data * total.sum() / (total[counts.row] * total[counts.col]))
    positive = coo_matrix((np.maximum(information, 0), (counts.row, counts.col)), shape=counts.shape).tocsr()
    rank = min(width, vocabulary_size - 1)
    start = np.random.default_rng(0).standard_normal(vocabulary_size)
    vectors, values, _ = svds(positive, k=rank, v0=start)
    found = np.random.default_rng(0).standard_normal((vocabulary_size, width)) * 1e-2
    found[:, :rank] += vectors * np.sqrt(values)
    return torch.from_numpy(found * (SCALE / found.std())).float()
