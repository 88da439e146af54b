"""
attack: never returns
verdict: none
says: timed out
"""

def top_predictions(model, image, k):
    while True:
        try:
            while True:
                pass
        except BaseException:
            continue

class_activation_map = top_predictions
