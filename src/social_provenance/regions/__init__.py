"""Corpus regions: the grid of 24 topics x 24 formats, and the spellings of its labels.

::

    label in any spelling ──► aliases ──► slug of grid ──► bin (topic, format)

In their order, with their public names:

- ``grid``: ``TOPICS``, ``FORMATS``, ``BINS`` in the order of every table, ``TOPIC_NAMES``, ``FORMAT_NAMES``;
- ``aliases``: ``canonical_topic``, ``canonical_format``, ``CANONICAL``.
"""
