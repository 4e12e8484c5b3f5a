// Live captions in a plain page: microphone -> 50 ms chunks -> WebSocket -> words on the page.

const button = document.getElementById("switch");
const captions = document.getElementById("captions");
const CLOSE_TIMEOUT_MS = 5000;

let session = null;

button.addEventListener("click", () => (session ? session.end() : start()));

function show(state, text = state) {
  document.body.dataset.state = state;
  document.getElementById("state").textContent = text;
  button.textContent = state === "listening" || state === "ending" ? "Stop" : "Start";
  button.disabled = state === "starting" || state === "ending";
}

async function start() {
  show("starting", "starting…");
  try {
    if (!navigator.mediaDevices) throw new Error("microphones are for pages from https or localhost");
    session = new Session(await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } }));
    await session.begin();
    if (session) show("listening");
  } catch (error) {
    if (document.body.dataset.state === "failed") return; // closed() has told
    session?.release();
    session = null;
    show("failed", error.name === "NotAllowedError" ? "the microphone may not be used" : error.message);
  }
}

class Session {
  constructor(microphone) {
    this.microphone = microphone;
    this.audio = new AudioContext(); // at the microphone's own rate: the server takes any
    this.lines = new Map(); // turn_order -> paragraph
    this.error = "";
  }

  async begin() {
    await this.audio.audioWorklet.addModule("microphone.js");
    await this.open();
    this.ears = new AudioWorkletNode(this.audio, "microphone");
    this.ears.port.onmessage = ({ data }) => this.send(data);
    this.audio.createMediaStreamSource(this.microphone).connect(this.ears);
    this.ears.connect(this.audio.destination); // silent, but an unconnected one isn't run everywhere
    for (const track of this.microphone.getTracks()) track.onended = () => this.end(); // unplugged
    await this.audio.resume();
  }

  // A browser can't set headers on a WebSocket, so the token goes into the address.
  async open() {
    const answer = await fetch("token");
    if (!answer.ok) throw new Error("no token can be had");
    const { token, url } = await answer.json();
    const query = new URLSearchParams({
      token,
      sample_rate: this.audio.sampleRate,
      encoding: "pcm_s16le",
      format_turns: true,
    });
    this.socket = new WebSocket(`${url}?${query}`);
    this.socket.onmessage = ({ data }) => this.receive(JSON.parse(data));
    await new Promise((resolve, reject) => {
      this.begun = resolve;
      this.socket.onclose = ({ code }) => {
        reject(new Error(this.error || `no connection (${code})`));
        this.closed(code);
      };
    });
  }

  // A chunk; null after the last one.
  send(chunk) {
    if (chunk === null) this.stopMicrophone();
    if (this.socket.readyState !== WebSocket.OPEN) return; // closed() tells
    this.socket.send(chunk ?? JSON.stringify({ type: "Terminate" }));
  }

  receive(message) {
    switch (message.type) {
      case "Begin":
        return this.begun();
      case "Turn":
        return this.write(message);
      case "Error":
        this.error = message.error;
    }
  }

  // Each Turn replaces what was there of the same turn: words so far, then the raw final, then the formatted one.
  write({ turn_order, transcript, words, end_of_turn }) {
    let line = this.lines.get(turn_order);
    if (!line) {
      line = document.createElement("p");
      this.lines.set(turn_order, line);
      captions.append(line);
    }
    const final = end_of_turn ? transcript : join(words.filter((word) => word.word_is_final));
    const tentative = document.createElement("span");
    tentative.className = "tentative";
    tentative.textContent = end_of_turn ? "" : join(words.filter((word) => !word.word_is_final));
    line.replaceChildren(final, final && tentative.textContent ? " " : "", tentative);
    line.scrollIntoView({ block: "nearest" });
  }

  // The last chunk, then Terminate; the server tells its last words and closes.
  end() {
    if (this.isEnding) return;
    this.isEnding = true;
    show("ending", "ending…");
    this.ears.port.postMessage("stop");
    this.stopping = setTimeout(() => this.socket.close(), CLOSE_TIMEOUT_MS);
  }

  closed(code) {
    this.release();
    if (session !== this) return;
    session = null;
    if (code === 1000) show("off");
    else show("failed", this.error || `the connection was lost (${code})`);
  }

  stopMicrophone() {
    for (const track of this.microphone.getTracks()) track.stop();
  }

  release() {
    clearTimeout(this.stopping);
    this.stopMicrophone();
    if (this.audio.state !== "closed") this.audio.close();
    this.socket?.close();
  }
}

const join = (words) => words.map((word) => word.text).join(" ");
