"""Speech recognisers, and the models that help them.

Importing any of it silences what its libraries report. ONNX Runtime, since 1.29, keeps an identifier of the device
under `~/.cache` and sends Microsoft which models run, where and how; `huggingface_hub` tells with a download who asks
for it and what else is installed. Their variables count only when they are set before the library is imported, so it is
done here, in front of every module that does; a program that imports one of them before tympan has to do it by itself.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
