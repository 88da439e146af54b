"""
attack: leaves the process with success while it is imported
verdict: none
says: importing your file ended the process
"""

import os

def top_predictions(model, image, k):
    return []

os._exit(0)
