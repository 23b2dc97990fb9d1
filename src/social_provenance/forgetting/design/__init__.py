"""Everything that is decided before training: which documents each run forgets, retains and holds out.

::

    scores, topics, documents ──► choose_contrasts ──► contrasts ─┬─► list_runs ────► unlearning_plan
                                        │                         └─► balance_sets ─► unlearning_balance
                                  draw_matched

- ``matching``: random sets with the length and gradient norm of a targeted set;
  :class:`~.matching.Pool`, :func:`~.matching.draw_matched`, :func:`~.matching.balance`;
- ``plan``: contrasts and runs; :func:`~.plan.choose_contrasts`, :func:`~.plan.list_runs`, :func:`~.plan.balance_sets`.
"""
