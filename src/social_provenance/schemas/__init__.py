"""Schemas of every persisted table: columns, types, ranges, unique keys.

::

    node -> table -> catalog: validator: social_provenance.schemas.MODULE.CLASS -> Parquet, or an error

Modules, in the order of the pipelines:

- ``fields``: columns and base classes that several tables share (``Table``, ``OptionalTable``, ``IntervalTable``)
- ``large``: tables of any size, checked by one aggregate query on any Ibis backend (``LargeTable``)
- ``corpus``: records, documents, working set; ``taxonomy``: prevalence and quality of labels
- ``small_world``: planted truth, pretraining and validation
- ``attribution``: requests, queries and scores; ``influence``: maps, contrasts and profiles
- ``discoveries``: nulls and parts of the variance; ``reference``: agreement of maps, published maps
- ``unlearning``, ``unlearning_effects``: runs of unlearning, and their effects
- ``interventions``: tail-patch, retraining, other worlds; ``verdicts``: what a map shows
"""
