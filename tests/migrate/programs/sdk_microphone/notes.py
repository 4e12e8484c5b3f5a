import assemblyai as aai
from datetime import datetime

aai.settings.api_key = "YOUR-API-KEY"

NOTES_FILE = "notes.txt"

def save(line):
    with open(NOTES_FILE, "a") as f:
        f.write(f"{datetime.now():%H:%M:%S} {line}\n")

def on_data(transcript):
    if not transcript.text:
        return
    if isinstance(transcript, aai.RealtimeFinalTranscript):
        print(transcript.text)
        save(transcript.text)
    elif isinstance(transcript, aai.RealtimePartialTranscript):
        print(transcript.text, end="\r")

transcriber = aai.RealtimeTranscriber(
    sample_rate=16_000,
    on_data=on_data,
    on_error=lambda error: print("Error:", error),
    on_open=lambda session: print("Recording. Session", session.session_id),
    on_close=lambda: print("Stopped."),
    disable_partial_transcripts=False,
)
transcriber.connect()

# open a microphone stream (needs `pip install "assemblyai[extras]"`)
microphone_stream = aai.extras.MicrophoneStream(sample_rate=16_000)

# press CTRL+C to abort
transcriber.stream(microphone_stream)

transcriber.close()
