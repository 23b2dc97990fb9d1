"""The same scores for other queries and for other models.

::

    renderings of a benchmark --> audit ------> scores by rendering
    checkpoints of a training --> trajectory -> gradient stores and scores by checkpoint

- ``audit``: each rendering is scored as a benchmark of its own (``plan_audit``).
- ``trajectory``: the same documents and queries under every checkpoint (``plan_gradients``, ``plan_trajectory``).
"""
