"""Linked figures and tables of a page, by Bokeh: tables in, one JSON text out."""
