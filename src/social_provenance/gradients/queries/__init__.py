r"""What is asked of the corpus: items of benchmarks with a loss on the answers only.

::

    benchmark_requests --> build_queries --> table queries --> query_sets --> token sequences of each set
                      \--> render -------/   (+ nulls, blocks)

- ``nulls``: variants of the items that break what is asked (``make_null``, ``NULLS``).
- ``build``: items and their nulls, divided into query blocks (``build_queries``, ``add_blocks``, ``query_sets``).
- ``renderings``: the same items as multiple choice, as cloze and as answers alone (``render``, ``RENDERINGS``).
"""
