// The official JavaScript SDK's streaming class, unmodified: a program as its users write it, that prints what it is
// told as JSON lines.
//
//     node javascript_sdk.cjs ADDRESS KEY FILE [OPTIONS]
//
// OPTIONS is a JSON object: parameters of the class, and `useToken` (an address for the request), `updateAtMs` with
// `update`, `forceAtMs`, `paceMs`. With `channels` the recording is the first one and silence the second. It waits for
// the beginning and the end for as long as they take.

const fs = require("node:fs");
const { setTimeout: sleep } = require("node:timers/promises");
const { AssemblyAI } = require("assemblyai");

const [address, apiKey, file, json] = process.argv.slice(2);
const { useToken, updateAtMs, update, forceAtMs, paceMs = 2, ...options } = JSON.parse(json ?? "{}");
const tell = (event, values = {}) => console.log(JSON.stringify({ event, ...values }));

async function main() {
  if (useToken) {
    const minting = new AssemblyAI({ apiKey, streamingBaseUrl: useToken });
    options.token = await minting.streaming.createTemporaryToken({ expires_in_seconds: 60 });
  }
  const client = new AssemblyAI({ apiKey: useToken ? "unused" : apiKey });
  const transcriber = client.streaming.transcriber({
    websocketBaseUrl: `${address}/v3/ws`,
    sampleRate: 16_000,
    connectTimeout: 0,
    ...options,
  });
  let isOver = false;
  transcriber.on("open", ({ id, expires_at }) => tell("open", { id, expires_at }));
  transcriber.on("speechStarted", ({ timestamp }) => tell("speech", { at_ms: timestamp }));
  transcriber.on("turn", (turn) =>
    tell(turn.end_of_turn ? "final" : "partial", {
      order: turn.turn_order,
      is_formatted: turn.turn_is_formatted,
      text: turn.transcript,
      words: turn.words.map((word) => [word.text, word.start, word.end]),
      channels: turn.words.map((word) => word.channel),
    }),
  );
  transcriber.on("error", (error) => tell("error", { text: error.message, code: error.code }));
  transcriber.on("close", (code, reason) => {
    isOver = true;
    tell("close", { code, reason });
  });

  try {
    await transcriber.connect();
  } catch (error) {
    return tell("rejected", { text: error.message, code: error.code });
  }
  const audio = fs.readFileSync(file).subarray(44);
  for (let at = 0, ms = 0; at < audio.length && !isOver; at += 3200, ms += 100) {
    if (ms === updateAtMs) transcriber.updateConfiguration(update);
    if (ms === forceAtMs) transcriber.forceEndpoint();
    const chunk = audio.subarray(at, at + 3200);
    if (options.channels) {
      transcriber.sendAudio(Uint8Array.from(chunk).buffer, { channel: options.channels[0].name });
      transcriber.sendAudio(new ArrayBuffer(chunk.length), { channel: options.channels[1].name });
    } else {
      transcriber.sendAudio(chunk);
    }
    await sleep(paceMs);
  }
  await transcriber.close(true, 0);
  tell("done");
}

main();
