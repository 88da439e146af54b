import numpy

from honest import class_activation_map, top_predictions
