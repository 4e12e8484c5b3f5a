# Start by making sure the `assemblyai` package is installed:
#   pip install -U assemblyai
import time
import wave

import assemblyai as aai

aai.settings.api_key = "YOUR-API-KEY"


def on_open(session_opened: aai.RealtimeSessionOpened):
    "This function is called when the connection has been established."

    print("Session ID:", session_opened.session_id)


def on_data(transcript: aai.RealtimeTranscript):
    "This function is called when a new transcript has been received."

    if not transcript.text:
        return

    if isinstance(transcript, aai.RealtimeFinalTranscript):
        print(transcript.text, end="\r\n")
    else:
        print(transcript.text, end="\r")


def on_error(error: aai.RealtimeError):
    "This function is called when the connection has been closed."

    print("An error occured:", error)


def on_close():
    "This function is called when the connection has been closed."

    print("Closing Session")


transcriber = aai.RealtimeTranscriber(
    on_data=on_data,
    on_error=on_error,
    sample_rate=16_000,
    on_open=on_open,  # optional
    on_close=on_close,  # optional
)

# Start the connection
transcriber.connect()


def read_wav(path):
    with wave.open(path, "rb") as f:
        while True:
            frames = f.readframes(4800)
            if not frames:
                return
            yield frames
            time.sleep(0.3)


transcriber.stream(read_wav("speech.wav"))

transcriber.close()
