"""Dress: one look for every page, and one folder of token values a brand."""

from themes.theme import Theme, Voice, load, stylesheet, themes

__all__ = ["Theme", "Voice", "load", "stylesheet", "themes"]
