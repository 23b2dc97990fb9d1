"""Figures of the report, one a file: tables in, Plotly figures out."""
