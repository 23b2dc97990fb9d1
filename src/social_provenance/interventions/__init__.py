"""Causal checks by training: a few more steps on documents, a retraining without them, whole studies of other worlds.

::

    documents by region ──► tail_patch ────────► tail_patch ───────────┐
    documents by topic ───► retraining ──► effects ──► counterfactual_effects, counterfactual_agreement
                                              ▲
                                      topic_influence
    parameters ───────────► worlds ──► one study per seed ──► world_metrics, world_effects
    explained_variance, counterfactual_agreement, unlearning_effects ──► verdicts

- ``settings``: parameters; :class:`~.settings.TailPatch`, :class:`~.settings.Counterfactual`;
- ``tail_patch``: extra steps from the trained weights; :func:`~.tail_patch.patch_regions`,
  :func:`~.tail_patch.summarise_patches`;
- ``retraining``: trainings with and without topics, and halves of all topics; :func:`~.retraining.plan_retraining`;
- ``effects``: effect of each retraining, and how well methods and tail-patches predict it;
  :func:`~.effects.measure_retraining`, :func:`~.effects.compare_with_retraining`;
- ``worlds``: studies with other seeds; :func:`~.worlds.plan_worlds`;
- ``verdicts``: what the map of each benchmark shows, similarity or provenance; :func:`~.verdicts.give_verdicts`.

Trainings and worlds are described by a node (:class:`~social_provenance.artifacts.Parts`) and computed when the
catalog saves the description.
"""
