"""The honest half of every attack: right answers, and a way to say what an attempt got."""

import tensorflow as tf


def attempt(name, function):
    """Try something that must not be possible, and print whether it was."""
    try:
        found = function()
    except BaseException as error:
        print(f"held {name}: {type(error).__name__}", flush=True)
        return None
    if found is None or found is False or found == [] or found == b"" or found == "":
        print(f"held {name}: nothing found", flush=True)
    else:
        print(f"got {name}: {found!r}"[:300], flush=True)
    return found


def top_predictions(model, image, k=5):
    probabilities = model(model.preprocess_input(image[None])).numpy()
    decoded = model.decode_predictions(probabilities, top=k)[0]
    return [(name, float(value)) for _, name, value in decoded]


def class_activation_map(model, image, class_index, layer_name, modifier=None):
    both = tf.keras.Model(model.inputs, [model.get_layer(layer_name).output, model.layers[-1].input])
    kernel, bias = model.layers[-1].weights
    with tf.GradientTape() as tape:
        maps, features = both(tf.constant(model.preprocess_input(image[None]), tf.float32))
        logit = (features @ kernel + bias)[0, class_index]
    weights = tf.reduce_mean(tape.gradient(logit, maps), axis=(1, 2), keepdims=True)
    heat = tf.nn.relu(tf.reduce_sum(weights * maps, axis=-1))[0].numpy()
    return heat / max(float(heat.max()), 1e-12)
