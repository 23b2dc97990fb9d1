"""The 2 x 2 design: benchmarks by domain and level, rendered and scored by lm-eval.

::

    items (JSON lines) + task definition (YAML) -> requests -> split: attribution queries | held-out items
                                                      |
                                     model -> log-probability of each choice -> answers -> accuracy

Modules, in the order of the flow:

- ``benchmark``: parameters (``Benchmark``, ``Evaluation``)
- ``items``: checks of the items, with the location of each problem
- ``harness``: the only module that imports lm-eval (``load_tasks``, ``build_requests``, ``Scorer``)
- ``normalisation``: units by which log-probabilities are divided (``normalise_choices``)
- ``requests``: one row per choice of each item (``ItemReader``)
- ``split``: role of each item (``split_items``, ``items_for``)
- ``answers``: answers of items, accuracy of benchmarks (``answers``, ``summarise``)
"""
