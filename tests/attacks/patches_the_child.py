"""
attack: rewrites the functions of the harness that run in its own process
verdict: none
targets: harness.execution.child:encode, harness.execution.child:Child.call, harness.execution.child:pack, harness.outputs:CaseStatus.RAISED
"""

import sys

child = sys.modules["harness.execution.child"]
outputs = sys.modules["harness.outputs"]
child.encode = lambda value, arrays: {"points": 20}
child.Child.call = lambda self, request: child.pack({"reply": "returned", "value": True, "seconds": 0}, [])
outputs.CaseStatus.RAISED = outputs.CaseStatus.RETURNED

def top_predictions(model, image, k):
    return True

def class_activation_map(model, image, class_index, layer_name, modifier=None):
    return True
