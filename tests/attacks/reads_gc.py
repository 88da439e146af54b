"""
attack: looks through all live objects for golden outputs, thresholds and other submissions
verdict: full
targets: harness.golden:Golden, harness.lab:Lab, harness.lab:Check, harness.grading:Grader, harness.results:Grade, harness.submission:Submission, harness.techniques.base:Evidence, harness.techniques, harness.metrics, reference/submission.py
"""

from honest import attempt, class_activation_map, top_predictions

import gc
import sys

attempt("objects", lambda: [type(o).__name__ for o in gc.get_objects() if type(o).__name__ in ("Golden", "Lab", "Check", "Grader", "Grade", "Submission", "Evidence")])
attempt("modules", lambda: [m for m in sys.modules if m.startswith(("harness.golden", "harness.grading", "harness.techniques", "harness.metrics", "reference"))])
attempt("import of the grader", lambda: __import__("harness.golden"))
attempt("import of the reference", lambda: __import__("reference"))
