"""Effects of unlearning, from the tables of a study's runs.

::

    runs, answers, trajectory ─► changes ──────► contrast ─────► unlearning_effects, unlearning_sets
                                    │      │        │  └───────► across_topics, algorithms
                                readings   │     intervals
                                           │        │
                                           ├──► equivalence ───► unlearning_equivalence
                                           └──► dose_response ─► unlearning_dose_response

- ``readings``: at which steps a run is read: equal compute, area, equal dose; :class:`~.readings.Reading`;
- ``changes``: change of each cluster of items in each run since step 0; :func:`~.changes.contrast_changes`;
- ``intervals``: bootstrap and t intervals of a mean difference; :func:`~.intervals.difference`;
- ``contrast``: difference in differences, influence minus random, and their randomisation tests;
  :func:`~.contrast.effect_rows`;
- ``equivalence``: two one-sided tests; :func:`~.equivalence.equivalence_rows`;
- ``tables``: the three above over all contrasts; :func:`~.tables.measure_effects`;
- ``dose_response``: change against steps and losses; :func:`~.dose_response.dose_response`;
- ``across_topics``: tests with the topic as unit; :func:`~.across_topics.across_topics`;
- ``algorithms``: algorithms side by side; :func:`~.algorithms.compare_algorithms`.
"""
