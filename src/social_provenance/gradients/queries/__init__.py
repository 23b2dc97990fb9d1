r"""What is asked of the corpus: items of benchmarks with a loss on the answers only.

::

    benchmark_requests --> build_queries --> table queries --> query_sets --> token sequences of each set
                      \--> render -------/   (+ blocks)

- ``build``: items and their null variants, divided into query blocks (``build_queries``, ``add_blocks``,
  ``query_sets``, ``NULLS``).
- ``renderings``: the same items as multiple choice, as cloze and as answers alone (``render``, ``RENDERINGS``).
"""
