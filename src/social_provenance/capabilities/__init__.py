"""The 2 x 2 design: benchmarks by domain and level, rendered by lm-eval.

::

    items (JSON lines) + task definition (YAML) -> requests -> split: attribution queries | held-out items
                                                      |
                                     model -> log-probability of each choice -> answers -> accuracy

Modules, in the order of the flow:

- ``benchmark``: parameters (``Benchmark``, ``Evaluation``)
- ``definitions``: where task definitions are, and what in them would run code
- ``items``: items as they are in their file, and their checks, with the location of each problem
- ``templates``: templates of a definition, in Jinja's sandbox
- ``harness``: the only module that imports lm-eval (``load_tasks``, ``build_requests``)
- ``normalisation``: units by which log-probabilities are divided (``normalise_choices``)
- ``requests``: one row per choice of each item (``ItemReader``)
- ``split``: role of each item (``split_items``, ``items_for``), items by their answers (``answered_items``)
- ``scoring``: log-probability of each choice under a model (``Scorer``)
- ``answers``: answers of items, accuracy of benchmarks (``answers``, ``summarise``)
"""
