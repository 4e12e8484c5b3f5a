// v2 is gone: it was wss://api.assemblyai.com/v2/realtime/ws with message_type "FinalTranscript"
/* new RealtimeTranscriber({ token }) is now client.streaming.transcriber() */
import { AssemblyAI } from 'assemblyai'

const client = new AssemblyAI({ apiKey: process.env.ASSEMBLYAI_API_KEY })
const transcriber = client.streaming.transcriber({ sampleRate: 16_000, formatTurns: true })

transcriber.on('open', ({ id }) => console.log(`Session opened with ID: ${id}`))
transcriber.on('turn', (turn) => { if (turn.transcript) console.log(turn.transcript) })
transcriber.on('close', (code, reason) => console.log(code, reason))
await transcriber.connect()
const token = await client.streaming.createTemporaryToken({ expires_in_seconds: 60 })
await transcriber.close()
const transcript = await client.transcripts.transcribe({ audio: './talk.mp3', word_boost: ['Sonny'] })
console.log(transcript.text)
