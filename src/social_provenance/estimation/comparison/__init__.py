"""Comparison of maps: methods, renderings and checkpoints with each other, and this study with a published map.

::

    maps, deviations ──► explained: the share of a map that another one explains
    maps ──► agreement ──► correlations, shared top bins of every two
                 │
    files ──► reference ──► side_by_side ──► topics, contrasts, signatures, similarity
                                 └──── leave_one_out: the bin that a correlation rests on

In their order, with their public names:

- ``explained``: ``explained_share``, ``explain_by_methods``, ``explain_by_untrained``;
- ``agreement``: ``compare_pairs``, ``agreement``, ``pearson``, ``spearman``;
- ``leave_one_out``: ``correlations_without``, ``extreme_bin``;
- ``reference``: ``read_reference``, :class:`~.reference.Published`: published files, checked line by line;
- ``side_by_side``: ``side_by_side``, ``topic_means``, ``topic_contrasts``, ``signatures``, ``similarity``,
  ``agreement_with_published``.
"""
