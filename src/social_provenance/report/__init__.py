"""The report: one page that opens from disk, joined from sections.

::

    tables, figures -> write_NAME (one function per section) -> templates/NAME.html.j2 -> page -> report.html

Modules, in the order of the page:

- ``sections``: inputs, influence, contrasts, planted topics; the page and its lineage (``write_report``)
- ``verdicts``: whether the map of each benchmark shows similarity or provenance
- ``labels``: reliability of labels; ``discoveries``: bins that are more than chance
- ``comparisons``: methods with baselines, the study with a published map
- ``checks``: tail-patch, retraining, other worlds, renderings and checkpoints
- ``unlearning``: effects, equivalence, algorithms, doses and balance of unlearning
- ``render``: templates and number formats; values from data are escaped
"""
