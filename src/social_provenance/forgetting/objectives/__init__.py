"""Unlearning algorithms, one per module, each with its hyperparameters as fields.

::

    parameters ──► registry.Algorithm ──► Objective.prepare(model, forget, retain, size) ──► Step
                                                                                              │
    forget batch, retain batch ──► Step ──► gradient on the model; losses and norms measured ◄┘

- ``base``: what every algorithm is; :class:`~.base.Objective`, :data:`~.base.Step`;
- ``reference``: the untouched model, which some algorithms compare with;
- ``terms``: weighted forget and retain terms that several share; :class:`~.terms.TwoTerms`;
- ``grad_ascent``, ``grad_diff``, ``ngdiff``, ``npo``, ``simnpo``, ``rmu``: the algorithms;
- ``registry``: algorithms by name, found by their modules; :data:`~.registry.Algorithm`,
  :func:`~.registry.find_algorithms`.
"""
