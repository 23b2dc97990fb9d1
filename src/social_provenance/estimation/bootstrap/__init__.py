"""Two-way bootstrap: multipliers per cluster of documents and per block of queries, and intervals from them.

::

    names of clusters and blocks ──► multipliers ──► resample ──► uncertainty ──► intervals
                                          └────────► halves ──► split-half reliability

In their order, with their public names:

- ``settings``: :class:`~.settings.Bootstrap`, the parameters;
- ``multipliers``: ``hash_names``, ``derive_hashes``, ``multipliers``: random numbers that depend on names only;
- ``resample``: :class:`~.resample.Groups`, ``group_documents``, ``document_deviations``, ``query_deviations``,
  ``interaction_variance``;
- ``uncertainty``: :class:`~.uncertainty.Uncertainty`, ``percentile_interval``;
- ``halves``: ``document_halves``, ``query_halves``, ``split_half_reliability``.
"""
