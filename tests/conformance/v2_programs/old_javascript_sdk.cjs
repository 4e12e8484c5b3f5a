// The old official JavaScript SDK's real-time class, unmodified: a program as its users wrote it, that prints what
// it is told as JSON lines.
//
//     node old_javascript_sdk.cjs ADDRESS KEY FILE [OPTIONS]
//
// OPTIONS is a JSON object: arguments of the class, and `useToken` (an address for the request), `className`,
// `forceAtMs`.

const fs = require("node:fs");
const { setTimeout: sleep } = require("node:timers/promises");
const sdk = require("assemblyai");

const [address, apiKey, file, json] = process.argv.slice(2);
const { useToken, className = "RealtimeTranscriber", forceAtMs, ...options } = JSON.parse(json ?? "{}");
const tell = (event, values = {}) => console.log(JSON.stringify({ event, ...values }));

async function main() {
  if (useToken) {
    const client = new sdk.AssemblyAI({ apiKey, baseUrl: useToken });
    options.token = await client.realtime.createTemporaryToken({ expires_in: 60 });
  }
  const credential = options.token ? {} : { apiKey };
  const transcriber = new sdk[className]({ realtimeUrl: `${address}/v2/realtime/ws`, ...credential, ...options });
  const tellTranscript = (event) => (transcript) => {
    const words = transcript.words.map((word) => [word.text, word.start, word.end]);
    if (Number.isNaN(transcript.created.getTime())) throw new Error("created is no date");
    tell(event, { text: transcript.text, words, confidence: transcript.confidence });
  };
  transcriber.on("open", ({ sessionId, expiresAt }) => tell("open", { id: sessionId, expires_at: expiresAt }));
  transcriber.on("transcript.partial", tellTranscript("partial"));
  transcriber.on("transcript.final", tellTranscript("final"));
  transcriber.on("session_information", (information) =>
    tell("information", { audio_s: information.audio_duration_seconds }),
  );
  let isOver = false;
  let leave;
  const ended = new Promise((resolve) => (leave = resolve));
  transcriber.on("error", (error) => tell("error", { text: error.message }));
  transcriber.on("close", (code, reason) => {
    isOver = true;
    tell("close", { code, reason });
    leave();
  });

  const opening = transcriber.connect();
  const isOpen = await Promise.race([
    opening.then(() => true, (error) => tell("rejected", { text: error.message })),
    ended.then(() => false),
  ]);
  if (!isOpen) return;
  const audio = fs.readFileSync(file).subarray(44);
  for (let at = 0, ms = 0; at < audio.length && !isOver; at += 3200, ms += 100) {
    if (ms === forceAtMs) transcriber.forceEndUtterance();
    transcriber.sendAudio(audio.subarray(at, at + 3200));
    await sleep(2);
  }
  await transcriber.close(true, 0); // it waits for the end for as long as that takes
  tell("done");
}

main();
