"""A submission can fail only itself: every way to fail, and what is said about it.

Each test runs real child processes on the lab's own digit network.
"""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

import nbformat
import numpy as np
import pytest

from harness.calls import Call
from harness.errors import MachineError
from harness.execution.processes import ColdStarter
from harness.execution.runner import Runner
from harness.execution.sandbox import Sandbox
from harness.execution.session import MAX_PRINTED, Session, _Printed, clean_environment
from harness.lab import Lab, Limits, read_lab
from harness.outputs import CaseStatus, Outputs
from harness.results import RunStatus
from harness.submission import Submission
from harness.techniques import CONTRACT

pytestmark = pytest.mark.tensorflow

ROOT = Path(__file__).parents[1]
IMAGE = np.zeros((28, 28, 1), "uint8")
TOP = Call("top_predictions/a", "top_predictions", "digits", {"image": IMAGE, "k": 5})
LAYERS = Call(
    "layer_activations/b", "layer_activations", "digits", {"image": IMAGE, "layer_names": ["l1"]}
)
MEANS = dataclasses.replace(LAYERS, key="layer_activations/m", function="mean_activations")
CAM = Call(
    "class_activation_maps/c",
    "class_activation_map",
    "digits",
    {"image": IMAGE, "class_index": 3, "layer_name": "l3", "modifier": None},
)
CAM_2 = dataclasses.replace(CAM, key="class_activation_maps/d")


@pytest.fixture(scope="module")
def lab() -> Lab:
    lab = read_lab(ROOT / "fixtures" / "lab.yaml")
    limits = Limits(case_seconds=4, submission_seconds=60, memory_mb=4096, output_mb=1)
    return dataclasses.replace(lab, limits=limits)


@pytest.fixture(scope="module")
def runner(lab):
    with Runner(lab, CONTRACT) as runner:
        yield runner


@pytest.fixture
def run(lab, runner, tmp_path):
    """Run the text of a submission; the rest of the lab's limits may be changed."""

    def run(text: str, *calls: Call, **changes) -> Outputs:
        folder = tmp_path / "alice"
        folder.mkdir(exist_ok=True)
        (folder / "submission.py").write_text(text, "utf-8")
        runner.limits = dataclasses.replace(lab.limits, **changes)
        outputs = runner.run(Submission("alice", folder), calls)
        assert list(runner._homes.iterdir()) == []
        return outputs

    return run


def test_values_of_many_kinds_come_back_as_data(run):
    text = """
import numpy as np, tensorflow as tf
from PIL import Image
def top_predictions(model, image, k):
    return {1: np.float32(0.5), "t": tf.constant([1, 2]), "l": [(True, None), np.array(["a"])],
            "image": Image.fromarray(np.zeros((2, 3), "uint8")), "wide": np.arange(4)[::2],
            "pairs": zip(["a", "b"], (1, 2)), "keys": {"x": 1}.keys(), "one": (i for i in [7]),
            "text": tf.constant([b"ball", b"b\\xff"]).numpy(), "bytes": np.array([b"cat"]),
            "records": np.array([("dog", 0.5)], [("name", "U9"), ("p", "f4")]),
            "swapped": np.array([1.5], ">f4")}
"""
    output = run(text, TOP).cases[TOP.key]
    assert output.status is CaseStatus.RETURNED
    value = output.value
    assert value["1"] == 0.5
    assert value["l"] == [[True, None], ["a"]]
    assert value["t"].tolist() == [1, 2]
    assert value["wide"].tolist() == [0, 2]
    assert value["image"].shape == (2, 3)
    assert value["pairs"] == [["a", 1], ["b", 2]]
    assert (value["keys"], value["one"]) == (["x"], [7])
    assert (value["text"], value["bytes"]) == (["ball", "b\\xff"], ["cat"])
    assert value["records"] == [["dog", 0.5]]
    assert value["swapped"].dtype == np.dtype("=f4")
    assert value["swapped"].tolist() == [1.5]


def test_files_beside_a_submission_are_imported_with_and_without_a_dot(run, tmp_path):
    (tmp_path / "alice" / "parts").mkdir(parents=True)
    (tmp_path / "alice" / "parts" / "names.py").write_text("NAME = 'ball'\n", "utf-8")
    (tmp_path / "alice" / "numbers_.py").write_text("from parts import names\nP = 0.5\n", "utf-8")
    text = """
import numbers_
from . import numbers_ as again
from .parts.names import NAME
def top_predictions(model, image, k):
    return [(NAME, numbers_.P + again.P)]
"""
    output = run(text, TOP).cases[TOP.key]
    assert (output.message, output.value) == ("", [["ball", 1.0]])


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("object()", "returned a object; expected arrays"),
        ("iter(int, 1)", "more than 10000 items"),
        (
            "np.zeros(10**6)",
            "contract asks for: an array of shape (1000000,), 7.6 MB",
        ),
        ("np.zeros(3, complex)", "dtype complex128"),
        ("{(1, 2): 3}", "dict with a tuple as key"),
        ("list(range(20000))", "more than 10000 items"),
        ("2**70", "more than 64 bits"),
        ("'x' * 200_000", "more than 131072 characters of text"),
        ("{'x' * 200_000: 1}", "more than 131072 characters of text"),
    ],
)
def test_what_is_not_plain_bounded_data_is_refused(run, expression, said):
    text = f"import numpy as np\ndef top_predictions(model, image, k):\n    return {expression}\n"
    output = run(text, TOP).cases[TOP.key]
    assert output.status is CaseStatus.REFUSED
    assert said in output.message


LITTLE = dataclasses.replace(TOP, most_bytes=2**16)


def test_no_more_comes_back_than_the_call_may_return(run):
    text = """
import numpy as np
def top_predictions(model, image, k):
    return {"a": np.zeros((91, 91), "uint8"), "b": np.zeros((7, 2**10))}
"""
    output = run(text, LITTLE).cases[TOP.key]
    assert output.status is CaseStatus.REFUSED
    assert output.message == (
        "returned far more than the contract asks for: an array of shape (7, 1024), 56 KB"
    )
    assert run(text, TOP).cases[TOP.key].status is CaseStatus.RETURNED


def test_a_child_that_sends_more_itself_is_not_listened_to(run):
    """It can do so: the code that counts is in the same process as the student's."""
    text = """
import os, struct
def top_predictions(model, image, k):
    for descriptor in range(3, 16):
        try:
            os.write(descriptor, struct.pack(">4sIQ", b"XGH1", 2, 2**18) + b"{}")
        except OSError:
            pass
"""
    output = run(text, LITTLE).cases[TOP.key]
    assert output.status is CaseStatus.REFUSED
    assert "a payload has at most 131072 bytes, found 262144" in output.message


def test_an_exception_shows_the_students_lines_and_none_of_ours(run):
    text = """
import tensorflow as tf
def helper(x):
    return tf.linalg.matmul(x, tf.ones((7, 7)))
def top_predictions(model, image, k):
    return helper(tf.ones((2, 3)))
def layer_activations(model, image, layer_names):
    return {"l1": 1.0}
"""
    outputs = run(text, TOP, LAYERS)
    failed = outputs.cases[TOP.key]
    assert failed.status is CaseStatus.RAISED
    assert failed.message.startswith("InvalidArgumentError")
    assert 'File "submission.py", line 4, in helper' in failed.traceback
    assert 'File "submission.py", line 6, in top_predictions' in failed.traceback
    assert "harness" not in failed.traceback
    assert "site-packages" not in failed.traceback
    assert outputs.cases[LAYERS.key].status is CaseStatus.RETURNED
    assert outputs.run.status is RunStatus.COMPLETED


def test_an_endless_loop_costs_its_own_case_and_the_others_go_first(run):
    text = """
def class_activation_map(model, image, class_index, layer_name, modifier=None):
    while True:
        pass
def top_predictions(model, image, k):
    return [("0", 1.0)]
"""
    outputs = run(text, CAM, CAM_2, TOP, case_seconds=2)
    for call in (CAM, CAM_2):
        assert outputs.cases[call.key].status is CaseStatus.TIMED_OUT
        assert f"timed out in {call.key} after 2 s" in outputs.cases[call.key].message
    assert outputs.cases[TOP.key].status is CaseStatus.RETURNED


def test_a_submission_out_of_time_keeps_what_it_had(run):
    text = """
import time
def class_activation_map(model, image, class_index, layer_name, modifier=None):
    time.sleep(60)
def top_predictions(model, image, k):
    return [("0", 1.0)]
"""
    outputs = run(text, TOP, CAM, CAM_2, case_seconds=30, submission_seconds=8)
    assert outputs.run.status is RunStatus.TIMED_OUT
    assert outputs.cases[TOP.key].status is CaseStatus.RETURNED
    assert outputs.cases[CAM_2.key].status is CaseStatus.TIMED_OUT
    assert "8 s that a submission may take in all" in outputs.cases[CAM_2.key].message


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("os._exit(0)", "exit status 0; a graded function must return"),
        ("os.kill(os.getpid(), 11)", "signal SIGSEGV, a crash in native code"),
    ],
)
def test_a_child_that_ends_fails_its_case_and_the_next_one_runs(run, statement, said):
    text = f"""
import os
def top_predictions(model, image, k):
    {statement}
def layer_activations(model, image, layer_names):
    return {{"l1": 1.0}}
"""
    outputs = run(text, TOP, LAYERS)
    assert outputs.cases[TOP.key].status is CaseStatus.CRASHED
    assert said in outputs.cases[TOP.key].message
    assert outputs.cases[LAYERS.key].status is CaseStatus.RETURNED
    assert outputs.run.notes == (outputs.cases[TOP.key].message,)


def test_sys_exit_in_a_function_is_an_exception_and_at_the_end_of_a_script_nothing(run):
    text = """
import sys
def top_predictions(model, image, k):
    sys.exit(3)
def layer_activations(model, image, layer_names):
    return {"l1": 1.0}
sys.exit(0)
"""
    outputs = run(text, TOP, LAYERS)
    assert outputs.cases[TOP.key].message == "SystemExit: 3"
    assert outputs.cases[LAYERS.key].status is CaseStatus.RETURNED
    assert outputs.run.notes == ()


def test_a_forged_frame_is_no_answer_that_could_hurt(run):
    text = """
import os
def top_predictions(model, image, k):
    for descriptor in range(3, 64):
        try:
            os.write(descriptor, b"XGH1" + bytes(range(200)))
        except OSError:
            pass
    return [("0", 1.0)]
def layer_activations(model, image, layer_names):
    return {"l1": 1.0}
"""
    outputs = run(text, TOP, LAYERS)
    assert outputs.cases[TOP.key].status is CaseStatus.REFUSED
    assert "no valid answer" in outputs.cases[TOP.key].message
    assert outputs.cases[LAYERS.key].status is CaseStatus.RETURNED


def test_an_answer_of_another_layout_is_refused(run):
    text = """
import gc, sys
from harness.execution import child
def top_predictions(model, image, k):
    child.pack.__globals__["json"].dumps = lambda header: '{"reply": "returned", "seconds": []}'
    return 1
"""
    outputs = run(text, TOP)
    assert outputs.cases[TOP.key].status is CaseStatus.REFUSED
    assert "an answer has another layout" in outputs.cases[TOP.key].message


def test_memory_beyond_the_limit_is_named(run):
    text = """
import numpy as np
def top_predictions(model, image, k):
    return np.ones((20_000, 20_000, 20)).sum()
"""
    output = run(text, TOP).cases[TOP.key]
    assert output.status is CaseStatus.OUT_OF_MEMORY
    assert output.message.startswith("ran out of memory")


def test_prints_and_logs_are_kept_cut_and_cost_nothing(run):
    text = """
import sys, warnings
print("hello from the top")
warnings.warn("careful")
def top_predictions(model, image, k):
    for _ in range(3000):
        sys.stderr.write("noise " * 20)
    return [("0", 1.0)]
"""
    outputs = run(text, TOP)
    assert outputs.cases[TOP.key].status is CaseStatus.RETURNED
    assert outputs.run.printed.startswith("hello from the top")
    assert "more bytes were printed and are left out" in outputs.run.printed
    assert len(outputs.run.printed) < MAX_PRINTED + 200


def test_what_is_printed_is_kept_when_it_arrives_after_the_answers(run, monkeypatch):
    take = _Printed.take

    def late(printed, data):
        time.sleep(1)
        take(printed, data)

    monkeypatch.setattr(_Printed, "take", late)
    outputs = run("print('early')\ndef top_predictions(*a): print('last'); return []", TOP)
    assert outputs.run.printed == "early\nlast\n"


@pytest.mark.parametrize(
    ("text", "status", "said"),
    [
        ("def f(:", RunStatus.FAILED_TO_LOAD, "could not be imported: submission.py stopped: Synt"),
        ("1 / 0", RunStatus.FAILED_TO_LOAD, "ZeroDivisionError: division by zero"),
        ("def topp(): pass", RunStatus.FAILED_TO_LOAD, "no function of the contract is defined; "),
        ("while True: pass", RunStatus.TIMED_OUT, "importing your file did not end within 2 s"),
        ("import os; os._exit(4)", RunStatus.CRASHED, "ended the process (exit status 4"),
        ("import os\nfor d in range(3, 64):\n  try: os.write(d, bytes(99))\n  except OSError: pass",
         RunStatus.REFUSED, "no valid answer while importing"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_loaded_fails_every_case_and_says_why(run, text, status, said):
    outputs = run(text, TOP, LAYERS, case_seconds=2)
    assert outputs.run.status is status
    assert said in outputs.run.message
    assert {output.status for output in outputs.cases.values()} == {CaseStatus.NOT_LOADED}
    assert {output.message for output in outputs.cases.values()} == {outputs.run.message}


def test_what_was_defined_before_a_failure_is_graded_with_a_note(run):
    text = """
def top_predictions(model, image, k):
    return [("0", 1.0)]
open("photo-of-my-cat.png")
def layer_activations(model, image, layer_names):
    return {}
"""
    outputs = run(text, TOP, LAYERS)
    assert outputs.cases[TOP.key].status is CaseStatus.RETURNED
    missing = outputs.cases[LAYERS.key]
    assert missing.status is CaseStatus.MISSING
    assert "no function 'layer_activations' is defined; found: top_predictions" in missing.message
    assert "photo-of-my-cat.png" in outputs.run.notes[0]
    assert "what was defined before it is graded" in outputs.run.notes[0]


def test_a_missing_function_is_no_other_function_of_the_contract(run):
    text = """
def class_activation_map(*a): pass
def maximize_activation(*a): pass
def layer_activation(*a): pass
"""
    outputs = run(text, LAYERS, MEANS)
    found = "found: class_activation_map, maximize_activation, layer_activation"
    assert {key: output.message for key, output in outputs.cases.items()} == {
        LAYERS.key: "no function 'layer_activations' is defined; did you mean 'layer_activation'? "
        + found,
        MEANS.key: f"no function 'mean_activations' is defined; {found}",
    }


@pytest.mark.parametrize(
    "signature",
    [
        "model, image, k=5",
        "net, picture, n",
        "model, image, k=5, verbose=False",
        "model, image, verbose=False, k=5",
        "*args",
        "**kw",
        "net, picture, n, /",
    ],
)
def test_any_fair_signature_is_called(run, signature):
    text = f"""
def top_predictions({signature}):
    given = locals()
    given = [*given.get("args", ()), *given.get("kw", {{}}).values(), *given.values()]
    return 5 in [item for item in given if isinstance(item, int)]
"""
    assert run(text, TOP).cases[TOP.key].value is True


def test_each_case_gets_a_fresh_model_and_the_same_seed(run):
    text = """
import numpy as np
def top_predictions(model, image, k):
    changed = float(model.layers[-1].weights[1].numpy()[0])
    model.layers[-1].weights[1].assign(np.full(10, 99.0))
    return [changed, float(np.random.rand())]
"""
    again = dataclasses.replace(TOP, key="top_predictions/again")
    outputs = run(text, TOP, again)
    assert outputs.cases[TOP.key].value == outputs.cases[again.key].value
    assert outputs.cases[TOP.key].value[0] != 99.0


def test_another_seed_shows_who_draws_without_one(run):
    """What a seed was given for is the same as in another run of the program."""
    text = """
import random
import keras, numpy as np, tensorflow as tf
def top_predictions(model, image, k):
    drawn = {
        "python": random.random(),
        "numpy": np.random.uniform(),
        "tensorflow": tf.random.uniform(()),
        "keras": keras.random.uniform(()),
        "numpy with": np.random.default_rng(5).uniform(),
        "tensorflow with": tf.random.uniform((), seed=5),
        "stateless": tf.random.stateless_uniform((), seed=(5, 0)),
        "keras with": keras.random.uniform((), seed=5),
    }
    return {name: float(value) for name, value in drawn.items()}
"""
    again = dataclasses.replace(TOP, key="top_predictions/again", seed=1)
    outputs = run(text, TOP, again)
    one, other = outputs.cases[TOP.key].value, outputs.cases[again.key].value
    assert {name for name in one if one[name] == other[name]} == {
        *("numpy with", "tensorflow with", "stateless", "keras with")
    }


MARKING = """
import numpy as np

def top_predictions(model, image, k):
    kernel = float(np.asarray(model.layers[-1].kernel)[0, 0])
    probabilities = model.predict(model.preprocess_input(image[None]), verbose=0)
    fresh, model.layers[0].mark = not hasattr(model.layers[0], "mark"), True
    return [kernel, float(np.sum(probabilities)), fresh]

def class_activation_map(model, image, class_index, layer_name, modifier=None):
    {change}
    return np.ones((2, 2))

def layer_activations(model, image, layer_names):
    return [id(model)]
"""


@pytest.mark.parametrize(
    ("change", "again"),
    [
        ("pass", True),
        ("model.predict(model.preprocess_input(image[None]), verbose=0)", True),
        ("model.layers[-1].kernel.assign(model.layers[-1].kernel * 2)", False),
        ("model.layers[-1].activation = None", False),
        ("model.trainable = False", False),
        ("model.get_layer(layer_name).call = lambda *a, **k: 1 / 0", False),
    ],
)
def test_a_changed_model_is_loaded_anew_and_an_unchanged_one_is_not(run, change, again):
    first = dataclasses.replace(LAYERS, key="layer_activations/first")
    second = dataclasses.replace(TOP, key="top_predictions/second")
    outputs = run(MARKING.format(change=change), first, CAM, LAYERS, TOP, second)
    ids = [outputs.cases[call.key].value[0] for call in (first, LAYERS)]
    assert (ids[0] == ids[1]) == again
    for call in (TOP, second):  # the first of them marks its model
        kernel, total, fresh = outputs.cases[call.key].value
        assert fresh
        assert total == pytest.approx(1, abs=1e-5)  # the softmax is in its place
        assert kernel == outputs.cases[TOP.key].value[0]


def test_materials_are_there_and_the_rest_of_the_lab_is_not(run):
    text = """
import os
from harness.student import load_image, load_model
model = load_model("digits")
image = load_image("digit3")
def top_predictions(m, image, k):
    folder = os.environ["HARNESS_MATERIALS"]
    return [sorted(os.listdir(folder)), model.input_range, list(globals()["image"].shape)]
"""
    value = run(text, TOP).cases[TOP.key].value
    assert "materials.json" in value[0]
    assert "digits.keras" in value[0]
    assert not [name for name in value[0] if "golden" in name or "lab" in name]
    assert value[1:] == [[0.0, 1.0], [28, 28, 1]]


def test_the_environment_is_clean(run, monkeypatch):
    monkeypatch.setenv("SECRET_TOKEN", "x")
    text = "import os\ndef top_predictions(model, image, k):\n    return sorted(os.environ)\n"
    assert "SECRET_TOKEN" not in run(text, TOP).cases[TOP.key].value


def test_cells_after_a_failing_one_are_tried(lab, tmp_path):
    cells = [
        "%matplotlib inline\nimport numpy as np",
        "open('missing.png')",
        "def top_predictions(model, image, k):\n    return [('0', 1.0)]",
        "!pip install something",
    ]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(text) for text in cells])
    (tmp_path / "bob.ipynb").write_text(nbformat.writes(book), "utf-8")
    with Runner(lab, CONTRACT) as runner:
        outputs = runner.run(Submission("bob", tmp_path / "bob.ipynb"), [TOP])
    assert outputs.cases[TOP.key].status is CaseStatus.RETURNED
    notes = "\n".join(outputs.run.notes)
    assert "cell 1: left out '%matplotlib inline'" in notes
    assert "cell 4: left out '!pip install something'" in notes
    assert "cell_002.py stopped: FileNotFoundError" in notes


def test_nothing_to_run_is_the_students_and_a_dangling_link_is_not(lab, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    with Runner(lab, CONTRACT) as runner:
        empty = runner.run(Submission("empty", tmp_path / "empty"), [TOP])
        link = runner.run(Submission("link", tmp_path / "link"), [TOP])
    assert empty.run.status is RunStatus.FAILED_TO_LOAD
    assert empty.cases[TOP.key].status is CaseStatus.NOT_LOADED
    assert "expected submission.py or submission.ipynb, found an empty folder" in empty.run.message
    assert link.run.status is RunStatus.NOT_RUN
    assert link.cases[TOP.key].status is CaseStatus.NOT_RUN


def test_a_child_that_cannot_start_costs_no_point(lab, tmp_path, monkeypatch):
    (tmp_path / "submission.py").write_text("def top_predictions(*a): return []", "utf-8")
    with Runner(lab, CONTRACT) as runner:
        monkeypatch.setattr("sys.executable", "/nowhere/python")
        outputs = runner.run(Submission("alice", tmp_path), [TOP])
    assert outputs.run.status is RunStatus.NOT_RUN
    assert outputs.cases[TOP.key].status is CaseStatus.NOT_RUN
    assert "/nowhere/python" in outputs.run.message


def test_a_child_that_dies_at_start_is_the_machines_fault(lab, tmp_path, monkeypatch):
    monkeypatch.setattr("sys.executable", "/bin/false")
    setup = {"output_mb": 1, "disk_mb": 1, "disk_files": 9}
    with pytest.raises(MachineError, match=r"did not start \(DiedError 1\); it printed"):
        Session(setup, tmp_path, ColdStarter(clean_environment(tmp_path), confined=False))


def test_a_model_that_cannot_be_loaded_costs_no_point(lab, tmp_path):
    (tmp_path / "submission.py").write_text("def top_predictions(*a): return []", "utf-8")
    with Runner(lab, CONTRACT) as runner:
        (runner._staged.folders[0] / "digits.keras").write_bytes(b"not a model")
        outputs = runner.run(Submission("alice", tmp_path), [TOP])
    assert outputs.cases[TOP.key].status is CaseStatus.NOT_RUN
    assert "model 'digits' could not be loaded" in outputs.cases[TOP.key].message


def test_no_process_outlives_an_unsandboxed_session(lab, tmp_path):
    (tmp_path / "submission.py").write_text("""
import subprocess
def top_predictions(model, image, k):
    return subprocess.Popen(["sleep", "1000"]).pid
""")
    with Runner(lab, CONTRACT, sandbox=Sandbox()) as runner:
        outputs = runner.run(Submission("alice", tmp_path), [TOP])
    pid = outputs.cases[TOP.key].value
    deadline = time.monotonic() + 5
    while Path(f"/proc/{pid}").exists() and not _is_zombie(pid):
        assert time.monotonic() < deadline, "the process that a submission started is still there"
        time.sleep(0.05)


def test_the_oracle_answers_with_logits_layers_and_probabilities(lab):
    images = np.linspace(0, 255, 2 * 784).reshape(2, 28, 28, 1).astype("uint8")
    with Runner(lab, CONTRACT) as runner:
        logits = runner.oracle.layer_outputs("digits", "l5", images, preprocess=True)
        same = runner.oracle.layer_outputs("digits", "l5", images / np.float32(255))
        maps = runner.oracle.layer_outputs("digits", "l1", images, preprocess=True)
        probabilities = runner.oracle.probabilities("digits", images)
        with pytest.raises(MachineError, match="own child failed in layer_outputs: ValueError"):
            runner.oracle.layer_outputs("digits", "l99", images)
    assert logits.shape == (2, 10)
    assert maps.shape == (2, 28, 28, 9)
    np.testing.assert_allclose(logits, same, atol=1e-4)
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    softmax = exponentials / exponentials.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(softmax, probabilities, atol=1e-5)


def test_an_oracle_that_dies_and_cannot_start_again_is_the_machines_fault(lab, monkeypatch):
    def refuse():
        raise MachineError("no memory")

    with Runner(lab, CONTRACT) as runner:
        runner.oracle.probabilities("digits", IMAGE[None])
        runner.oracle._session._process.kill()
        monkeypatch.setattr(runner.oracle, "_start", refuse)
        with pytest.raises(MachineError, match="own child failed in probabilities"):
            runner.oracle.probabilities("digits", IMAGE[None])


def test_outputs_survive_the_disk(run, tmp_path):
    text = (
        "import numpy as np\ndef top_predictions(*a):\n    return {'x': np.float32([1, np.nan])}\n"
    )
    outputs = run(text, TOP, LAYERS)
    outputs.save(tmp_path / "stored")
    loaded = Outputs.load(tmp_path / "stored")
    assert json.dumps(loaded.run.to_json()) == json.dumps(outputs.run.to_json())
    np.testing.assert_array_equal(loaded.cases[TOP.key].value["x"], np.float32([1, np.nan]))
    assert loaded.cases[LAYERS.key].message == outputs.cases[LAYERS.key].message


def _is_zombie(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
