"""The package reads its own source, for the identity of the code behind an artifact.

::

    text of a module -> names -> definitions -> reach: all that a function may run -> fingerprint.digest_of_code

Modules, in the order of the flow:

- ``names``: names, attributes, annotations and imports in a piece of source (``Names``)
- ``definitions``: a module as definitions, without what changes no result (``parse_module``)
- ``reach``: definitions that are reachable from functions and classes (``Code``, ``Reach``)
"""
