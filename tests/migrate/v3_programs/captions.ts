type Turn = { type: 'Turn'; transcript: string; end_of_turn: boolean; turn_is_formatted: boolean }

export function listen (token: string, show: (text: string) => void): WebSocket {
  const socket = new WebSocket(`wss://streaming.assemblyai.com/v3/ws?sample_rate=16000&format_turns=true&token=${token}`)
  socket.onmessage = (event) => {
    const message = JSON.parse(event.data) as Turn | { type: 'Begin'; id: string } | { type: 'Termination' }
    if (message.type === 'Turn' && message.turn_is_formatted) show(message.transcript)
  }
  return socket
}

// somebody else's protocol
export const hello = { message_type: 'hello', session_id: 'x', text: 'hi' }
