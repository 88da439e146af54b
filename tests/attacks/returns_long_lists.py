"""
attack: returns as many items and as much text as may come back, in the shapes that judging goes through
verdict: none
report: true
seconds: 10
peak_mb: 150
"""

def top_predictions(model, image, k):
    return [["ball" + "\u0301" * 8, 0.1]] * 3_000

def class_activation_map(model, image, class_index, layer_name, modifier=None):
    return [[float(x) for x in range(90)] for y in range(100)]
