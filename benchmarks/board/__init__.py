"""Parts of ``leaderboard.py``: attribution methods compared over worlds, judged by retraining.

::

                  +--> replay: its training, repeated --> magic, unrolling, ensemble -----+
                  |                                                       rerank --> along|
    worlds --> studies: a model for each seed --> scores of each variant of each method --+
                  |                                                                       |
                  +--> bank: models retrained without topics --> effects -----------------+--> measures --> page

- ``worlds``: where corpus and benchmarks of a world come from, and what is known about its provenance.
- ``studies``: runs of the project's pipelines on a world, each step kept.
- ``replay``: the training of a study's model: its batches with their documents, its states on the way.
- ``magic``, ``unrolling``: scores of documents from that, exact and approximate.
- ``ensemble``: scores of gradients averaged over the checkpoints of that training.
- ``rerank``: recall by one method, order by another.
- ``along``: these as methods of the leaderboard.
- ``bank``: retrainings of a world, bound to the settings and code under which they were made.
- ``measures``: statistics of one method in one world, and their intervals over seeds and worlds.
- ``mixture``: the linear datamodel from what was left out to the outcome.
- ``page``: the tables as Markdown.
"""
