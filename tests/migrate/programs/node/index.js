// Reads a raw PCM file and prints the transcript. Usage: node index.js speech.raw
require('dotenv').config()
const fs = require('fs')
const WebSocket = require('ws')
const { AssemblyAI, RealtimeService } = require('assemblyai')

const SAMPLE_RATE = 16000
// old address, kept for reference: wss://api.assemblyai.com/v2/stream
const url = `wss://api.assemblyai.com/v2/realtime/ws?sample_rate=${SAMPLE_RATE}`

function viaSocket (file) {
  const ws = new WebSocket(url, { headers: { Authorization: process.env.ASSEMBLYAI_API_KEY } })

  ws.on('message', (data) => {
    const msg = JSON.parse(data)
    switch (msg.message_type) {
      case 'SessionBegins':
        console.log('session', msg.session_id, msg.expires_at)
        send(ws, file)
        break
      case 'PartialTranscript':
        process.stdout.write('\r' + msg.text)
        break
      case 'FinalTranscript':
        console.log('\r' + msg.text)
        break
      case 'SessionTerminated':
        ws.close()
    }
  })
  ws.on('error', console.error)
}

async function send (ws, file) {
  for await (const chunk of fs.createReadStream(file, { highWaterMark: 6400 })) {
    ws.send(JSON.stringify({ audio_data: chunk.toString('base64') }))
    await new Promise(resolve => setTimeout(resolve, 200))
  }
  ws.send(JSON.stringify({ terminate_session: true }))
}

async function viaSdk (file) {
  const client = new AssemblyAI({ apiKey: process.env.ASSEMBLYAI_API_KEY })
  const rt = client.realtime.transcriber({ sampleRate: SAMPLE_RATE, wordBoost: ['Sonny'], endUtteranceSilenceThreshold: 500 })

  rt.on('open', ({ sessionId }) => console.log('session', sessionId))
  rt.on('transcript.partial', (t) => { if (t.text) process.stdout.write('\r' + t.text) })
  rt.on('transcript.final', (t) => console.log('\r' + t.text))
  rt.on('error', console.error)
  rt.on('close', (code, reason) => console.log('closed', code, reason))

  await rt.connect()
  for await (const chunk of fs.createReadStream(file, { highWaterMark: 6400 })) {
    rt.sendAudio(chunk)
    await new Promise(resolve => setTimeout(resolve, 200))
  }
  rt.forceEndUtterance()
  await rt.close()
}

const [, , file, mode] = process.argv
if (mode === 'sdk') viaSdk(file); else viaSocket(file)
