"""From a model, documents and benchmarks to the score of every document for every benchmark.

::

    requests ---> queries ---+
                             |                          +-> store_methods -+
    documents --> walk ------+--> gradient stores ------+                  +-> scores by document, query block
                 (Bergson)   |   losses, norms, states  +-> text_methods --+   and null variant
                             |                          |                  |
                             +--> sequences, model -----+-> model_methods -+

- ``settings``: parameters of the gradients; ``query_set``: the name of a set of queries.
- ``queries``: items of a benchmark as token sequences with blocks, null variants and renderings.
- ``walk``: one pass over a corpus or a set of queries, which leaves its projected gradients in a store.
- ``composition``: gradients of queries that contrast choices, from those of the choices (``plan_composition``).
- ``methods``: attribution methods, one a module, and the loop that scores by all of them.
- ``studies``: the same scores for renderings of a benchmark, and for checkpoints of a training.

What a function named ``plan_...`` returns is a description (:class:`~social_provenance.artifacts.Parts`): the parts
of an artifact, the identity of the inputs and of the code of each, and the function that computes those that are
missing. Nothing is computed when a node returns it. The work runs when the catalog saves it
(:class:`~social_provenance.datasets.PartsFolder`), which is why a killed run continues where it stopped.
"""
