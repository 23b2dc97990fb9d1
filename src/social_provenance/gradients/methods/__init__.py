"""Attribution methods, one a module, and the loop that scores by all of them.

::

    names in scoring.methods --> registry --> methods of each need
                                                   |
    gradient stores --> store_methods --+       fit, aim, describe, multiply
    tokens, states ---> text_methods ---+--> scoring: for each chunk, benchmark and method --> score_files
    model, tokens ----> model_methods: passes over the corpus of their own -----------------/

- ``settings``: parameters (``ScoringSettings``); ``registry``: methods by name, found by their modules
  (``find_methods``, ``method_names``, ``is_baseline``).
- ``base``: what a method is (``Method``, ``ProductMethod``), and what the loop asks of a corpus.
- ``store_methods``: what reads the gradient store (``StoreMethod``), namely ``trackstar``, ``influence``,
  ``gradient_cosine``, ``trak``; with ``outliers`` and ``preconditioner``.
- ``text_methods``: the baselines (``TextMethod``), namely ``bm25``, ``embedding``, ``length``, ``loss``.
- ``model_methods``: what runs the model (``ModelMethod``), namely ``ekfac``, with its adapter ``bergson_ekfac``.
- ``scoring``: the loop (``plan_scores``, ``plan_text_scores``); ``score_files``: tables of a part.

To add a method, write its module: nothing in this package lists them.
"""
