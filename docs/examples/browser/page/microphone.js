// Runs in the audio thread: what the microphone hears, as chunks of 50 ms of 16-bit PCM.

const CHUNK_S = 0.05; // the protocol takes 50 to 1000 ms a message

class Microphone extends AudioWorkletProcessor {
  constructor() {
    super();
    this.chunk = new Int16Array(Math.round(sampleRate * CHUNK_S));
    this.length = 0;
    this.isOn = true;
    this.port.onmessage = () => this.stop();
  }

  process([[channel]]) {
    if (!channel) return this.isOn; // no microphone is connected at the moment
    for (const sample of channel) {
      const level = Math.max(-1, Math.min(1, sample));
      this.chunk[this.length++] = level < 0 ? level * 0x8000 : level * 0x7fff;
      if (this.length === this.chunk.length) this.tell();
    }
    return this.isOn;
  }

  tell() {
    const { buffer } = this.chunk;
    this.chunk = new Int16Array(this.chunk.length);
    this.length = 0;
    this.port.postMessage(buffer, [buffer]);
  }

  stop() {
    if (this.isOn && this.length > 0) this.tell(); // the rest, with silence after it
    this.isOn = false;
    this.port.postMessage(null); // that was all
  }
}

registerProcessor("microphone", Microphone);
