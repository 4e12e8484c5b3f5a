#!/usr/bin/env python3
# Streams a wav file to the real-time API as if somebody was talking, for testing without a mic.
#
#   ASSEMBLYAI_API_KEY=... python stream_wav.py meeting.wav
#
import base64
import json
import os
import sys
import time
import wave
from threading import Thread

import websocket

API_KEY = os.environ['ASSEMBLYAI_API_KEY']
URL = 'wss://api.assemblyai.com/v2/realtime/ws?sample_rate=16000&word_boost=' + '["Sonny"]'

transcript = []   # finals end up here


def send_audio(ws):
    wf = wave.open(sys.argv[1], 'rb')
    if wf.getframerate() != 16000 or wf.getnchannels() != 1:
        print('need 16 kHz mono wav')
        ws.close()
        return

    while True:
        data = wf.readframes(3200)     # 200 ms
        if len(data) == 0:
            break
        ws.send(json.dumps({'audio_data': base64.b64encode(data).decode('utf-8')}))
        time.sleep(0.2)

    # give it a moment to catch up, then say goodbye
    time.sleep(1)
    ws.send(json.dumps({'terminate_session': True}))


def on_open(ws):
    print('connected, sending', sys.argv[1])
    Thread(target=send_audio, args=(ws,)).start()


def on_message(ws, message):
    m = json.loads(message)

    if 'error' in m:
        print('ERROR from server:', m['error'])
        return

    if m['message_type'] == 'SessionBegins':
        print('session', m['session_id'], 'until', m['expires_at'])
    elif m['message_type'] == 'PartialTranscript':
        if m['text']:
            print('...', m['text'])
    elif m['message_type'] == 'FinalTranscript':
        transcript.append(m['text'])
        print('>>>', m['text'], '(%d-%d ms, %.2f)' % (m['audio_start'], m['audio_end'], m['confidence']))
    elif m['message_type'] == 'SessionTerminated':
        print('bye')
        ws.close()


def on_error(ws, err):
    print('socket error:', err)


def on_close(ws, code, reason):
    print('closed', code, reason)


app = websocket.WebSocketApp(URL, header={'Authorization': API_KEY}, on_open=on_open,
                             on_message=on_message, on_error=on_error, on_close=on_close)
app.run_forever()
print('FULL TEXT:', ' '.join(transcript))
