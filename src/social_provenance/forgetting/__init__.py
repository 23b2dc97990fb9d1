"""Unlearning as a causal check: does forgetting influential documents damage the benchmark that they influence?

::

    document scores, topics ──► design ──► plan: forget, retain, held-out ids of every run
                                  │
                objectives ──►  runs   ──► checkpoints, losses, answers at every evaluation
                                  │
                               effects ──► difference in differences, equivalence, dose-response, topics

In their order, each importing only what stands above it:

- ``vocabulary``: arms, outcomes, readings, statuses and keys of all tables;
- ``objectives``: unlearning algorithms, one per module, found by name;
- ``effect_settings``, ``settings``: parameters; :class:`~.settings.Unlearning`;
- ``design``: targeted and matched random sets, the list of runs, their balance;
- ``runs``: training and evaluation of one run and of all, and the tables gathered from them;
- ``effects``: statistics of these tables; knows nothing of ``runs`` but the tables.
"""
