"""Texts for models, from the templates in ``prompts/``; what a template says about the product comes from code."""
