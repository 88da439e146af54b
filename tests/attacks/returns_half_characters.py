"""
attack: returns and raises text that no file can hold: half characters, and characters that are none
verdict: none
report: true
"""

BAD = "a\ud800b\udfff\ufdd0\U0010ffff\u2028\x85\x7f\ufeff"

def top_predictions(model, image, k):
    return {BAD + str(place): 1.0 for place in range(k)}

def class_activation_map(model, image, class_index, layer_name, modifier=None):
    raise type("Bad" + BAD, (Exception,), {})(BAD)
