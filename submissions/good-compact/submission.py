# Sample submission: all six functions correct, written tersely and returning unusual but allowed
# types (dict, tensors, a batch axis of one, float64, maps of the image's size scaled to 0..1).
import keras
import tensorflow as tf

relu = keras.activations.relu


@tf.custom_gradient
def grelu(x):
    return tf.nn.relu(x), lambda dy: tf.where((x > 0) & (dy > 0), dy, tf.zeros_like(dy))


def sub(model, *names, tail=False):
    """one model, several outputs; tail=True appends what feeds the softmax"""
    outs = [model.get_layer(n).output for n in names] + ([model.layers[-1].input] if tail else [])
    return keras.Model(model.inputs[0], outs)


def to_logits(model, h):
    W, b = model.layers[-1].weights
    return tf.nn.bias_add(h @ tf.convert_to_tensor(W), b)


def top_predictions(model, image, k=5):
    p = model(model.preprocess_input(image[None]))
    return {name: prob for _, name, prob in model.decode_predictions(p.numpy(), top=k)[0]}


def layer_activations(model, image, layer_names):
    outs = sub(model, *layer_names)(model.preprocess_input(image[None]))
    return dict(zip(layer_names, tf.nest.flatten(outs)))  # one output is no list


def acts(model, images, layer_name):
    f = sub(model, layer_name)
    x = tf.convert_to_tensor(model.preprocess_input(images))
    return tf.concat([tf.nest.flatten(f(x[i : i + 100]))[0] for i in range(0, len(x), 100)], 0)


def mean_activations(model, images, labels, layer_name):
    a = tf.cast(acts(model, images, layer_name), tf.float64)
    return tf.math.unsorted_segment_mean(a, tf.constant(labels, tf.int32), model.output_shape[-1])


def dominant_filters(model, images, labels, layer_name):
    a = acts(model, images, layer_name)
    votes = tf.one_hot(tf.argmax(a, -1), a.shape[-1])
    return tf.argmax(
        tf.math.unsorted_segment_sum(votes, tf.constant(labels, tf.int32), model.output_shape[-1]), -1
    )


def maximize_activation(model, layer_name, filter_indices, tv_weight, seed, steps=128, lr=0.05):
    (lo, hi), last = model.input_range, layer_name == model.layers[-1].name
    net = sub(model, tail=True) if last else sub(model, layer_name)
    # unbounded variable, squashed into the input range: never leaves it
    z = 0.2 * tf.random.stateless_normal((1, *model.input_shape[1:]), seed=(seed, 0))
    m, v = tf.zeros_like(z), tf.zeros_like(z)
    picture = lambda z: tf.sigmoid(4 * z)

    @tf.function
    def ascend(z, m, v):
        for t in tf.range(1, steps + 1):
            with tf.GradientTape() as tape:
                tape.watch(z)
                u = picture(z)
                out = tf.nest.flatten(net(lo + (hi - lo) * u))[0]
                out = to_logits(model, out) if last else out
                gain = tf.reduce_sum(
                    tf.reduce_mean(tf.gather(out, filter_indices, axis=-1), range(len(out.shape) - 1))
                )
                gain -= tv_weight * tf.image.total_variation(u)[0] / tf.size(u, tf.float32)
            g = tape.gradient(gain, z)
            m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g**2  # Adam
            t = tf.cast(t, tf.float32)
            z += lr * (m / (1 - 0.9**t)) / (tf.sqrt(v / (1 - 0.99**t)) + 1e-7)
        return z

    return tf.cast(lo + (hi - lo) * picture(ascend(z, m, v)), tf.float64)


def class_activation_map(model, image, class_index, layer_name, modifier=None):
    H, W = image.shape[:2]
    changed = [l for l in model.layers if modifier == "guided" and getattr(l, "activation", 0) is relu]
    for l in changed:
        l.activation = grelu
    try:
        x = tf.constant(model.preprocess_input(image[None]))
        with tf.GradientTape() as tape:
            tape.watch(x)
            A, h = sub(model, layer_name, tail=True)(x)
            y = to_logits(model, h)[:, class_index]
        cam = tf.nn.relu(tf.einsum("bhwk,bk->bhw", A, tf.reduce_mean(tape.gradient(y, A), (1, 2))))
    finally:
        for l in changed:
            l.activation = relu
    cam = tf.image.resize(cam[..., None], (H, W), "bicubic")[..., 0]
    return tf.clip_by_value(cam / (tf.reduce_max(cam) + 1e-12), 0, 1)
