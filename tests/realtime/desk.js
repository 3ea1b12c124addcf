// The server under test: signing in, connecting as pages do, and writing as a customer of its demo.
import { createServer, connect as dial } from "node:net";

import Echo from "laravel-echo";
import Pusher from "pusher-js";

export const BASE_URL = process.env.BASE_URL;
const { FRONTDESK_EMAIL, FRONTDESK_PASSWORD, FRONTDESK_TOKEN } = process.env;

/** One request; throws when it is refused. */
export async function request(method, path, { token, body } = {}) {
  const response = await fetch(BASE_URL + path, {
    method,
    headers: {
      ...(token ? { authorization: `Bearer ${token}` } : {}),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return text === "" ? undefined : JSON.parse(text);
}

/** A token of the admin, from the environment or made with their password. */
export async function signIn() {
  if (FRONTDESK_TOKEN) return FRONTDESK_TOKEN;
  const login = await fetch(`${BASE_URL}/api/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email: FRONTDESK_EMAIL, password: FRONTDESK_PASSWORD }),
  });
  if (!login.ok) throw new Error(`signing in: ${login.status} ${await login.text()}`);
  const cookie = login.headers.getSetCookie()[0].split(";")[0];
  const made = await fetch(`${BASE_URL}/api/v1/tokens`, {
    method: "POST",
    headers: { "content-type": "application/json", cookie, origin: BASE_URL },
    body: JSON.stringify({ name: "realtime checks", abilities: ["*"] }),
  });
  if (!made.ok) throw new Error(`making a token: ${made.status} ${await made.text()}`);
  return (await made.json()).token;
}

/** A colleague: a new agent with a token. */
export async function hire(adminToken, name) {
  const email = `${name.toLowerCase()}.${Date.now()}@example.org`;
  const password = "a long password";
  await request("POST", "/api/v1/users", { token: adminToken, body: { email, name, role: "agent", password } });
  const login = await fetch(`${BASE_URL}/api/v1/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ email, password }),
  });
  const me = await login.json();
  const cookie = login.headers.getSetCookie()[0].split(";")[0];
  const made = await fetch(`${BASE_URL}/api/v1/tokens`, {
    method: "POST",
    headers: { "content-type": "application/json", cookie, origin: BASE_URL },
    body: JSON.stringify({ name: "realtime checks", abilities: ["*"] }),
  });
  return { id: String(me.id), name, token: (await made.json()).token };
}

/** Echo as a Laravel page makes it; `port` may be that of a line in between. */
export async function connect(token, port) {
  const settings = await request("GET", "/api/v1/realtime", { token });
  const client = new Pusher(settings.key, {
    cluster: "unused",
    wsHost: settings.host,
    wsPort: port ?? settings.port,
    forceTLS: false,
    enabledTransports: ["ws"],
    channelAuthorization: {
      endpoint: BASE_URL + settings.auth_endpoint,
      headers: { Authorization: `Bearer ${token}` },
    },
    userAuthentication: {
      endpoint: `${BASE_URL}/broadcasting/user-auth`,
      headers: { Authorization: `Bearer ${token}` },
    },
  });
  return new Echo({ broadcaster: "pusher", key: settings.key, client });
}

/** Resolves once the channel is subscribed, fails when it is refused. */
export function subscribed(channel) {
  return within(
    new Promise((resolve, reject) => {
      channel.subscribed(resolve);
      channel.error((error) => reject(Object.assign(new Error("refused"), { answer: error })));
    }),
    "a subscription",
  );
}

/** Collects what a callback is called with: `await heard.next()`. */
export function listener() {
  const values = [];
  const waiting = [];
  const hear = (value) => (waiting.length > 0 ? waiting.shift()(value) : values.push(value));
  hear.next = () =>
    within(values.length > 0 ? Promise.resolve(values.shift()) : new Promise((r) => waiting.push(r)), "an event");
  hear.nothing = async () => {
    await new Promise((r) => setTimeout(r, 300));
    if (values.length > 0) throw new Error(`unexpected: ${JSON.stringify(values)}`);
  };
  return hear;
}

function within(promise, what, ms = 10_000) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** A customer of the demo writes on WhatsApp. */
export async function customerWrites(text) {
  const [customer] = await request("GET", "/control/customers");
  const body = { inbox_id: "whatsapp", kind: "text", text };
  await request("POST", `/control/customers/${customer.id}/messages`, { body });
}

/** A line to the server that can be cut: `{ port, cut(), mend(), close() }`. */
export async function line() {
  const { hostname, port } = new URL(BASE_URL);
  const open = new Set();
  let isCut = false;
  const server = createServer((near) => {
    if (isCut) return near.destroy();
    const far = dial(Number(port), hostname);
    for (const [one, other] of [[near, far], [far, near]]) {
      open.add(one);
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => {
        open.delete(one);
        other.destroy();
      });
    }
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    port: server.address().port,
    cut() {
      isCut = true;
      for (const socket of open) socket.destroy();
    },
    mend() {
      isCut = false;
    },
    close() {
      this.cut();
      server.close();
    },
  };
}
