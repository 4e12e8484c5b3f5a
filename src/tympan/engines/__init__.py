"""Speech recognisers, and the models that help them.

Importing any of it silences ONNX Runtime, whose packages since 1.29 keep an identifier of the device under `~/.cache`
and send Microsoft which models run, where and how. The variable counts only when it is set before ONNX Runtime is
imported, so it is set here, in front of every module that does; a program that imports ONNX Runtime before tympan has
to set it by itself.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
