# Sample submission with one fault: only the first of several filter indices is maximized.
import keras
import numpy as np
import tensorflow as tf


def top_predictions(model, image, k=5):
    x = model.preprocess_input(image[np.newaxis])
    probs = model(x).numpy()
    decoded = model.decode_predictions(probs, top=k)[0]
    return [(name, float(p)) for _, name, p in decoded]


def layer_activations(model, image, layer_names):
    x = model.preprocess_input(image[np.newaxis])
    result = {}
    for name in layer_names:
        sub = keras.Model(model.inputs[0], model.get_layer(name).output)
        result[name] = sub(x).numpy()[0]
    return result


def _all_activations(model, images, layer_name):
    sub = keras.Model(model.inputs[0], model.get_layer(layer_name).output)
    return sub(model.preprocess_input(images)).numpy()


def mean_activations(model, images, labels, layer_name):
    acts = _all_activations(model, images, layer_name)
    n_classes = model.outputs[0].shape[-1]
    return np.stack([acts[labels == d].mean(axis=0) for d in range(n_classes)])


def dominant_filters(model, images, labels, layer_name):
    acts = _all_activations(model, images, layer_name)
    n_filters = acts.shape[-1]
    strongest = acts.argmax(axis=-1)  # (n, h, w)
    n_classes = model.outputs[0].shape[-1]
    out = np.zeros((n_classes,) + strongest.shape[1:], dtype=int)
    for d in range(n_classes):
        of_digit = strongest[labels == d]
        counts = np.stack([(of_digit == f).sum(axis=0) for f in range(n_filters)])
        out[d] = counts.argmax(axis=0)
    return out


def _run_last_layer_linear(last, x):
    # the last layer without its softmax
    kernel, bias = last.weights
    return tf.matmul(x, kernel) + bias


def maximize_activation(model, layer_name, filter_indices, tv_weight, seed):
    if np.isscalar(filter_indices):
        filter_indices = [filter_indices]
    low, high = model.input_range
    layer = model.get_layer(layer_name)
    is_last = layer is model.layers[-1]
    # logits instead of softmax when the last layer is asked
    sub = keras.Model(model.inputs[0], layer.input if is_last else layer.output)

    rng = np.random.default_rng(seed)
    shape = model.inputs[0].shape[1:]
    start = rng.normal(0.5, 0.05, size=(1, *shape))
    img = tf.Variable(start, dtype=tf.float32)  # always 0..1 here
    optimizer = keras.optimizers.RMSprop(learning_rate=0.03)
    optimizer.build([img])

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            out = sub(low + (high - low) * img)
            if is_last:
                out = _run_last_layer_linear(layer, out)
            loss = -tf.reduce_mean(out[..., filter_indices[0]])
            n = float(np.prod(shape))
            dy = img[:, 1:] - img[:, :-1]
            dx = img[:, :, 1:] - img[:, :, :-1]
            tv = (tf.reduce_sum(dy**2) + tf.reduce_sum(dx**2)) / n
            loss += tv_weight * tv
        g = tape.gradient(loss, img)
        optimizer.apply_gradients([(g / (tf.norm(g) + 1e-8), img)])
        img.assign(tf.clip_by_value(img, 0.0, 1.0))

    for _ in range(150):
        step()
    return low + (high - low) * img.numpy()[0]


@tf.custom_gradient
def guided_relu(x):
    y = tf.nn.relu(x)

    def grad(dy):
        return tf.cast(dy > 0, tf.float32) * tf.cast(y > 0, tf.float32) * dy

    return y, grad


def _relu_to_guided(x):
    return guided_relu(x)


def class_activation_map(model, image, class_index, layer_name, modifier=None):
    x = model.preprocess_input(image[np.newaxis])
    names = [l.name for l in model.layers]
    position = names.index(layer_name)

    sub = keras.Model(model.inputs[0], model.get_layer(layer_name).output)
    features = tf.convert_to_tensor(sub(x))

    with tf.GradientTape() as tape:
        tape.watch(features)
        y = features
        # the network is a plain chain of layers
        for layer in model.layers[position + 1 :]:
            if layer is model.layers[-1]:
                y = _run_last_layer_linear(layer, y)
            elif modifier == "guided" and getattr(layer, "activation", None) is keras.activations.relu:
                layer.activation = _relu_to_guided
                y = layer(y)
                layer.activation = keras.activations.relu
            else:
                y = layer(y)
        score = y[0, class_index]
    grads = tape.gradient(score, features)[0]
    weights = tf.reduce_mean(grads, axis=(0, 1))
    cam = tf.reduce_sum(features[0] * weights, axis=-1)
    return np.maximum(cam.numpy(), 0)
