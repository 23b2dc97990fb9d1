"""Unlearning runs: trained, evaluated on the way, kept, gathered.

::

    unlearning_plan ──► study.plan_parts ──► workers.execute_runs ──► run.execute_run ──► folder of a run
                                                                            │                  │
                                                      objective, evaluation.Evaluator          │
    unlearning_runs, _answers, _evaluations, _trajectory, _heldout, _steps ◄── gather_tables ◄─┘

A node returns a description of all runs (:class:`~social_provenance.artifacts.Parts`); they are trained when the
catalog saves it, and only those that are missing.

- ``forecast``: number of runs and sizes of their sets, before they are planned;
- ``memory``: GPU memory of a run, before it starts; :func:`~.memory.run_memory`;
- ``trainable``: all weights or adapters, and the checkpoint;
- ``evaluation``: losses and answers of a model at one step; :class:`~.evaluation.Evaluator`;
- ``run``: one run; :class:`~.run.Bench`, :func:`~.run.execute_run`;
- ``workers``: runs in this process, or in several with a device each; :func:`~.workers.execute_runs`;
- ``study``: identity and cost of every run; :func:`~.study.plan_parts`;
- ``gather``: tables of a study; :func:`~.gather.gather_tables`.
"""
