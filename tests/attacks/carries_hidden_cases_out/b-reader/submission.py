from honest import attempt, class_activation_map, top_predictions

import marks
from harness.student import load_image


def carried():
    found = [marks.marked(path) for path in marks.FILES]
    names = [f"digit{number}" for number in range(10)]
    return len(found) == 49 and [name for name in names if marks.bits(load_image(name)) == found]


attempt("the hidden image", carried)
