"""The miniature world: a small corpus with planted facts, its benchmarks, and the check that they are recovered.

::

    seed ──► world: planted topics, facts ──┬──► documents ──► raw records, truth
                                            └──► items ──► benchmarks that ask about the facts
    maps of the study, truth ──► roles ──► planted, recovery ──► validation

In their order, with their public names:

- ``lexicon``: words of topics, frames of formats;
- ``facts``: :class:`~.facts.Capability`, ``CAPABILITIES``: what can be planted;
- ``world``: :class:`~.world.World`, ``draw_world``: what a seed plants where;
- ``documents``: ``write_documents``, ``raw_record``; ``items``: ``write_items``, ``TASK``;
- ``roles``: ``ROLES``, ``mark_roles``: what a topic is for a benchmark;
- ``planted``: ``mark_planted_topics``, ``compare_with_truth``, ``report_validation``;
- ``nulls``: ``compare_nulls_with_truth``;
- ``recovery``: ``measure_validation``, ``measure_separation``, ``measure_calls``, ``measure_decoys``,
  ``areas_of_topics``.

Only the pipelines ``miniature``, ``validation`` and ``worlds`` import this package: a study must not know the truth.
"""
