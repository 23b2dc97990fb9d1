"""Topic and format of every document: given labels where there are some, a classifier for the rest."""
