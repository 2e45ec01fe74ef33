"""The tutorial as web pages: static files to read, and in which the lessons run.

The pages are built from what is there already (READMEs, notebooks, docs, lessons and the texts of
their steps) and hold no second copy of it. Reading needs no Python in the browser.
"""
