/** Against a real server of the chat protocol on the loopback interface. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test } from "vitest";
import { isSparError } from "../../base/index.ts";
import { describePlayer, expectCode, playerRequest } from "../../testing/index.ts";
import type { Player, PlayerReply, PlayerRequest } from "../player.ts";
import { connect } from "./openai-client.ts";
import { remotePlayer, type RemotePlayerOptions } from "./remote-player.ts";

interface Received {
  readonly url: string;
  readonly authorization: string | undefined;
  readonly body: Record<string, unknown>;
}

type Answer = (received: Received, response: ServerResponse, nth: number) => void;

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(answer: Answer): Promise<{ baseUrl: string; received: Received[] }> {
  const received: Received[] = [];
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let body = "";
    for await (const chunk of request) body += String(chunk);
    const { url = "", headers } = request;
    received.push({ url, authorization: headers.authorization, body: JSON.parse(body) });
    answer(received.at(-1)!, response, received.length);
  };
  const server = createServer((request, response) => void handle(request, response));
  servers.push(server);
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  return { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, received };
}

const sendJson = (response: ServerResponse, status: number, value: unknown, headers = {}): void =>
  void response
    .writeHead(status, { "content-type": "application/json", ...headers })
    .end(JSON.stringify(value));

const choice = (content: string | null, more: object = {}): object => ({
  index: 0,
  message: { role: "assistant", content },
  finish_reason: "stop",
  ...more,
});

const says =
  (...contents: readonly string[]): Answer =>
  (_received, response) =>
    sendJson(response, 200, { object: "chat.completion", choices: contents.map((text) => choice(text)) });

const fails =
  (status: number, message: string, headers = {}): Answer =>
  (_received, response) =>
    sendJson(response, status, { error: { message } }, headers);

const request = (more: Partial<PlayerRequest> = {}): PlayerRequest =>
  playerRequest({
    segments: [{ kind: "text", role: "user", text: "your move" }],
    choices: null,
    position: null,
    seed: 5,
    ...more,
  });

const key = "sk-secret-of-a-person";

const player = (baseUrl: string, more: Partial<RemotePlayerOptions> = {}): Player =>
  remotePlayer({ baseUrl, model: "tiny", apiKey: key, retryDelayMs: 1, ...more });

const texts = (replies: readonly PlayerReply[]): string[] =>
  replies.map((reply) => (reply.kind === "reply" ? reply.text : reply.kind));

async function address(answer: Answer): Promise<string> {
  return (await serve(answer)).baseUrl;
}

describePlayer({
  name: "a remote model",
  createPlayer: async () =>
    player(
      await address(({ body }, response, nth) =>
        says(`${String(body["seed"])}`)({} as Received, response, nth),
      ),
    ),
  createWaitingPlayer: async () => player(await address(() => undefined)),
  isDeterministic: true,
});

test("the conversation goes out as messages, with limits, stops and the key; the text comes back", async () => {
  const { baseUrl, received } = await serve(says("cell 5"));
  const [reply] = await player(baseUrl, { temperature: 0.5, maxTokens: 20 }).reply(
    request({
      history: [
        { kind: "text", role: "system", text: "rules" },
        { kind: "text", role: "user", text: "first" },
        { kind: "text", role: "assistant", text: "1" },
        { kind: "text", role: "referee", text: "he took 2. " },
      ],
      maxTokens: 8,
      stopStrings: ["\n", "."],
    }),
    {},
  );
  expect(received).toEqual([
    {
      url: "/v1/chat/completions",
      authorization: `Bearer ${key}`,
      body: {
        model: "tiny",
        messages: [
          { role: "system", content: "rules" },
          { role: "user", content: "first" },
          { role: "assistant", content: "1" },
          { role: "user", content: "he took 2. your move" },
        ],
        temperature: 0.5,
        top_p: 1,
        max_tokens: 8,
        seed: 5,
        stop: ["\n", "."],
      },
    },
  ]);
  expect(reply).toEqual({
    kind: "reply",
    spans: [],
    startsNewContext: false,
    logprobs: new Float32Array(),
    text: "cell 5",
    finishReason: "stop",
    sampling: { temperature: 0.5, topP: 1, topK: 0, maxTokens: 8, seed: 5 },
  });
});

test("a server without keys gets none, another name for the limit is sent where it is wanted", async () => {
  const { baseUrl, received } = await serve(says("x"));
  await player(baseUrl, { apiKey: null, maxTokensField: "max_completion_tokens", hasSeed: false }).reply(
    request(),
    {},
  );
  expect(received[0]?.authorization).toBeUndefined();
  expect(received[0]?.body).toMatchObject({ max_completion_tokens: 1024 });
  expect(Object.keys(received[0]?.body ?? {})).not.toContain("seed");
});

test("siblings are requests with seeds of their own, or one request that is completed singly", async () => {
  const several = await serve(says("x"));
  await player(several.baseUrl).reply(request({ count: 3 }), {});
  expect(several.received.map(({ body }) => Number(body["seed"])).toSorted((a, b) => a - b)).toEqual([
    5, 6, 7,
  ]);

  const counting = await serve(says("a", "b", "c"));
  const together = player(counting.baseUrl, { siblings: "one-request" });
  expect(texts(await together.reply(request({ count: 3 }), {}))).toEqual(["a", "b", "c"]);
  expect(counting.received.map(({ body }) => body["n"])).toEqual([3]);

  const single = await serve((_received, response, nth) => says(`reply ${nth}`)(_received, response, nth));
  const completed = await player(single.baseUrl, { siblings: "one-request" }).reply(
    request({ count: 3 }),
    {},
  );
  expect(new Set(texts(completed))).toEqual(new Set(["reply 1", "reply 2", "reply 3"]));
});

test("what the game puts into the mouth begins the reply, whether the server repeats it or not", async () => {
  const { baseUrl, received } = await serve((_received, response, nth) =>
    says(nth === 1 ? "5" : "move: 5")(_received, response, nth),
  );
  const forced = request({ force: "move: " });
  expect(texts(await player(baseUrl).reply(forced, {}))).toEqual(["move: 5"]);
  expect(texts(await player(baseUrl).reply(forced, {}))).toEqual(["move: 5"]);
  expect(received[0]?.body["messages"]).toEqual([
    { role: "user", content: "your move" },
    { role: "assistant", content: "move: " },
  ]);
});

test("a reply ends before its stop and says where it was cut; silence is a text, too", async () => {
  const stopping = player(await address(says("5. because")));
  expect(texts(await stopping.reply(request({ stopStrings: ["."] }), {}))).toEqual(["5"]);
  const cut = player(
    await address((_received, response) =>
      sendJson(response, 200, { choices: [choice(null, { finish_reason: "length" })] }),
    ),
  );
  expect((await cut.reply(request(), {}))[0]).toMatchObject({ text: "", finishReason: "length" });
  expect(texts(await player(await address(says(""))).reply(request(), {}))).toEqual([""]);
});

const failures: readonly {
  readonly what: string;
  readonly answer: Answer;
  readonly code: string;
  readonly says: string;
}[] = [
  { what: "a wrong key", answer: fails(401, "bad key"), code: "remote-unauthorized", says: "bad key" },
  {
    what: "an unknown model",
    answer: fails(404, "no tiny"),
    code: "remote-not-found",
    says: 'no model "tiny"',
  },
  {
    what: "too many requests",
    answer: fails(429, "slow"),
    code: "remote-overloaded",
    says: "fewer requests",
  },
  { what: "a broken server", answer: fails(503, "down"), code: "remote-failed", says: "503 down" },
  { what: "a refused request", answer: fails(400, "no stops"), code: "remote-refused", says: "no stops" },
  {
    what: "a reply without text",
    answer: (_received, response) => sendJson(response, 200, { choices: [choice(null)] }),
    code: "remote-empty",
    says: "got one without",
  },
  {
    what: "an answer without a reply",
    answer: (_received, response) => sendJson(response, 200, { choices: [] }),
    code: "remote-unreadable",
    says: "something else",
  },
  {
    what: "a page in place of an answer",
    answer: (_received, response) =>
      void response.writeHead(200, { "content-type": "text/html" }).end("<html>"),
    code: "remote-unreadable",
    says: "expected a chat completion",
  },
  {
    what: "an answer that does not end",
    answer: says("x".repeat(17 * 2 ** 20)),
    code: "remote-unreadable",
    says: "at most 16777216 bytes",
  },
  {
    what: "a cut connection",
    answer: (_received, response) => void response.socket?.destroy(),
    code: "remote-unreachable",
    says: "no answer from",
  },
];

test.for(failures)("$what is $code", async ({ answer, code, says: words }) => {
  const { baseUrl, received } = await serve(answer);
  const error = await expectCode(player(baseUrl, { retryCount: 2 }).reply(request(), {}), code);
  expect(error.message).toContain(words);
  expect(error.boundary).toBe("player");
  expect(received.length, "tried again where that can help, and no more than that").toBe(
    error.retryable ? 3 : 1,
  );
});

test("a failure that passes costs another try", async () => {
  const { baseUrl, received } = await serve((one, response, nth) =>
    (nth < 3 ? fails(500, "oops") : says("there"))(one, response, nth),
  );
  expect(texts(await player(baseUrl).reply(request(), {}))).toEqual(["there"]);
  expect(received).toHaveLength(3);
});

test("a server that asks for an hour's patience gets no more than the deadline, and no timer is left", async () => {
  const baseUrl = await address(fails(429, "later", { "retry-after": "3600" }));
  await expectCode(player(baseUrl).reply(request(), { timeoutMs: 60 }), "deadline-exceeded");
  expect(process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length).toBeLessThan(3);
});

test("a server that is not there is refused by name", async () => {
  const { baseUrl } = await serve(says(""));
  await new Promise<void>((resolve) => void servers.splice(0)[0]?.close(() => resolve()));
  const error = await expectCode(
    player(baseUrl, { retryCount: 1 }).reply(request(), {}),
    "remote-unreachable",
  );
  expect(error.message).toContain("the connection was refused");
  expect(error.hint).toContain("server runs");
});

test("the key is in no error, whatever the server repeats, and in no record", async () => {
  const baseUrl = await address(({ authorization }, response) =>
    sendJson(response, 401, { error: { message: `not accepted: ${String(authorization)}` } }),
  );
  const secret = player(baseUrl);
  const error = await secret.reply(request(), {}).catch((thrown: unknown) => thrown);
  if (!isSparError(error)) throw new Error("expected an error with a code");
  expect(
    [error.message, error.hint, error.stack, JSON.stringify(error), String(error.cause)].join(),
  ).not.toContain(key);
  expect(error.message).toContain("***");
  expect(JSON.stringify(secret.reference)).not.toContain(key);
});

test.each(["", "localhost:8000", "ftp://host/v1", "http://me:pass@host/v1"])(
  "the address %j is refused before anything is sent",
  (baseUrl) => {
    expect(() => player(baseUrl)).toThrow(expect.objectContaining({ code: "remote-address" }));
    expect(() => player(baseUrl)).not.toThrow(/pass@/u);
  },
);

test("a key that cannot be sent is refused without being shown", () => {
  expect(() => player("http://host/v1", { apiKey: "sk-1\n" })).toThrow(/cannot be sent/u);
  expect(() => player("http://host/v1", { apiKey: "sk-1\n" })).not.toThrow(/sk-1/u);
});

test("an image is refused, and so is a client that is not installed, with the command that installs it", async () => {
  const seeing = request({ segments: [{ kind: "image", role: "user", imageDigest: "00" }] });
  await expectCode(player(await address(says("x"))).reply(seeing, {}), "images-unsupported");
  const missing = connect({ baseUrl: "http://host/v1", model: "tiny", apiKey: null }, () =>
    Promise.reject(new Error("Cannot find package 'openai'")),
  );
  expect((await expectCode(missing, "package-missing")).hint).toBe("install it: npm install openai");
});
