"""Toyland: a made-up world of seven scenes and forty-two objects, and the recipes of the models that know it.

Nothing at run time imports this package: it draws pictures, trains and scores; `workers/models/toyland` ships
the result.
"""
