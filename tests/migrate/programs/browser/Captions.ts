import { RealtimeTranscriber, type RealtimeTranscript } from 'assemblyai'
import RecordRTC, { StereoAudioRecorder } from 'recordrtc'

type Message =
  | { message_type: 'SessionBegins'; session_id: string; expires_at: string }
  | { message_type: 'PartialTranscript' | 'FinalTranscript'; text: string; audio_start: number; audio_end: number }
  | { message_type: 'SessionTerminated' }

/** Live captions over a plain WebSocket; `token` comes from our own /token route. */
export class Captions {
  private socket?: WebSocket
  private recorder?: RecordRTC
  private texts: Record<number, string> = {}

  constructor (private readonly show: (text: string) => void) {}

  async start (): Promise<void> {
    const { token } = await (await fetch('/token')).json()
    this.socket = new WebSocket(`wss://api.assemblyai.com/v2/realtime/ws?sample_rate=16000&token=${token}`)
    this.socket.onmessage = (event: MessageEvent<string>) => this.receive(JSON.parse(event.data))
    this.socket.onopen = () => this.record()
  }

  stop (): void {
    this.socket?.send(JSON.stringify({ terminate_session: true }))
    this.recorder?.stopRecording()
  }

  private receive (message: Message): void {
    if (message.message_type === 'PartialTranscript' || message.message_type === 'FinalTranscript') {
      this.texts[message.audio_start] = message.text
      const keys = Object.keys(this.texts).map(Number).sort((a, b) => a - b)
      this.show(keys.map((key) => this.texts[key]).join(' '))
    }
  }

  private async record (): Promise<void> {
    const media = await navigator.mediaDevices.getUserMedia({ audio: true })
    this.recorder = new RecordRTC(media, {
      type: 'audio',
      mimeType: 'audio/webm;codecs=pcm',
      recorderType: StereoAudioRecorder,
      timeSlice: 250,
      desiredSampRate: 16000,
      numberOfAudioChannels: 1,
      ondataavailable: (blob: Blob) => {
        const reader = new FileReader()
        reader.onload = () => {
          const base64 = String(reader.result).split('base64,')[1]
          this.socket?.send(JSON.stringify({ audio_data: base64 }))
        }
        reader.readAsDataURL(blob)
      }
    })
    this.recorder.startRecording()
  }
}

/** The same through the SDK. */
export function captionsBySdk (token: string, show: (text: string) => void): RealtimeTranscriber {
  const transcriber = new RealtimeTranscriber({ token, sampleRate: 16_000 })
  transcriber.on('transcript', (transcript: RealtimeTranscript) => {
    if (transcript.message_type === 'FinalTranscript') show(transcript.text)
  })
  return transcriber
}
