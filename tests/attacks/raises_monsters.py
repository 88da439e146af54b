"""
attack: raises exceptions that cannot be printed, named or ended
verdict: none
"""

class Monster(BaseException):
    def __str__(self):
        raise Monster()

    __repr__ = __str__

    @property
    def __traceback__(self):
        raise Monster()

class Loop(Exception):
    def __str__(self):
        return "x" * 10**8

def top_predictions(model, image, k):
    raise Monster

def class_activation_map(model, image, class_index, layer_name, modifier=None):
    raise Loop
