"""
attack: puts HTML, terminal escapes, formulas, bidi and NUL into names, outputs and messages
verdict: none
report: true
"""

EVIL = "<script>xgh_pwned()</script><img src=x onerror=xgh_pwned()>\x1b[31m\x00=cmd|' /C calc'!A0\u202egpj.exe{{7*7}}"
print(EVIL)

def top_predictions(model, image, k):
    return [(EVIL, 1.0)] * k

def class_activation_map(model, image, class_index, layer_name, modifier=None):
    raise RuntimeError(EVIL)
