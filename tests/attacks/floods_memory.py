"""
attack: takes all memory
verdict: none
says: ran out of memory|Cannot allocate memory
"""

def top_predictions(model, image, k):
    held = []
    while True:
        held.append(bytearray(2**26))

def class_activation_map(model, image, class_index, layer_name, modifier=None):
    import mmap
    held = []
    while True:
        area = mmap.mmap(-1, 2**28)
        area.write(b"x" * 2**20)
        held.append(area)
