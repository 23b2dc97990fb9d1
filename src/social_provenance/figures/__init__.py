"""Figures of the report, one per module: tables in, Plotly figures out.

::

    table -> draw_NAME -> catalog: NAME_figure (Plotly JSON) -> section of the report

Modules, in the order of the page:

- ``labels``: confusion and reliability of the classifier (``draw_labels``)
- ``influence_map``: z of every bin (``draw_influence``); ``topic_contrasts``: social minus STEM (``draw_contrasts``)
- ``planted_topics``: recovery of the planted topics (``draw_planted``)
- ``unlearning_sets``, ``dose_response``, ``unlearning_balance``: effects, doses and balance of unlearning
- ``absent``: what stands in place of a figure that was not computed; ``style``: names, colours and panels shared by all
"""
