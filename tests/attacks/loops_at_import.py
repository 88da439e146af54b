"""
attack: never finishes being imported
verdict: none
says: importing your file did not end
"""

def top_predictions(model, image, k):
    return []

while True:
    pass
