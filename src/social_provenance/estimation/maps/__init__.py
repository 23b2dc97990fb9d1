"""Maps of influence: from scored documents to bins, topics, formats, contrasts and profiles.

::

    scores, labels ──► scored ──► two_way ──► aggregate ──► influence ──► bins, topics, formats
                          │                                     ├──► contrasts ──► strength
                          └──► concentration ──► (aggregate)    └──► profiles

In their order, with their public names:

- ``scored``: :class:`~.scored.Scored`, ``read_scores``, ``gather_scored``, ``read_blocks``: scores as arrays, checked;
- ``bin_moments``: ``bin_moments``, ``bin_sums``: counts, means and variances of bins;
- ``two_way``: ``two_way``, :class:`~.two_way.Blocks`: bin means with all that needs documents and query blocks;
- ``influence``: :class:`~.influence.Influence`, which has the tables ``bins`` and ``marginal``;
- ``concentration``: ``top_ten_share``: how much of a topic rests on ten documents;
- ``aggregate``: ``aggregate_scored``, ``aggregate``: from scored documents to an ``Influence``;
- ``contrasts``: ``contrast``: social minus STEM; ``strength``: ``contrast_strength``: the spread of topics in it;
- ``profiles``: ``profile_similarity``, ``profile_reliability``;
- ``top_documents``: ``pick_documents``; ``bin_map``: ``bin_map``: a map without intervals, for comparisons.
"""
