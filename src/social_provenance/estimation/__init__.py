"""Statistics of document scores: the influence of corpus regions, its uncertainty, comparisons and tests.

::

    document scores, block scores, labels ──► maps.scored ──► maps.two_way ◄── bootstrap
                                                                   │
                      bin, topic and format tables ◄── maps.influence.Influence
                                                                   │
                        comparison: methods, published map ◄───────┼───► significance: p, q, nulls,
                                                                         shrinkage, labels

In their order, each importing only what stands above it:

- ``bootstrap``: deviations of bin means over resampled documents and queries, and intervals;
- ``maps``: from scored documents to the tables of influence, contrasts and profiles;
- ``comparison``: agreement of two maps, and of this study with a published one;
- ``significance``: which bins differ from the others by more than chance, and whether labels matter.

Statistical functions take arrays, documents x columns or topics x formats x columns, where a column is a benchmark
under an attribution method. Tables are made at the end.
"""
