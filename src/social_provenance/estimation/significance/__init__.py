"""Tests of bins and topics, and the robustness of maps to their labels.

::

    standard errors ──► multiplicity: p, q          ┐
    scored documents ──► permutation: family-wise p ├──► discoveries ──► tables
    scores of nulls ──► nulls ──► calibration       │
    bins, variances ──► shrinkage, decomposition    ┘
    scored documents, label errors ──► taxonomy_robustness ◄── label_noise

In their order, with their public names:

- ``multiplicity``: ``two_sided_p``, ``q_values``;
- ``shrinkage``: ``shrink``; ``decomposition``: ``decompose``;
- ``permutation``: ``max_t``, ``length_strata``;
- ``nulls``: ``null_z``, ``judge``, ``of_topics``; ``calibration``: ``calibrate``: the tests applied to
  the nulls themselves;
- ``discoveries``: ``aggregate_bins``, ``aggregate_topics``, ``bin_tests``, ``null_tests``, ``null_calibration``,
  ``decompose_maps``: all of these as tables;
- ``label_noise``: ``transition_matrix``, ``draw_labels``; ``taxonomy_robustness``: ``check_labels``.
"""
