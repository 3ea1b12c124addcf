// Pusher's own server library, as Laravel and others use it to send events and see who listens.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import Library from "pusher";

import { BASE_URL, connect, listener, request, signIn, subscribed } from "./desk.js";

const { PUSHER_APP_ID: appId, PUSHER_APP_SECRET: secret } = process.env;

let token;
let library;
let echo;

before(async () => {
  token = await signIn();
  const { key } = await request("GET", "/api/v1/realtime", { token });
  const { hostname: host, port } = new URL(BASE_URL);
  library = new Library({ appId, key, secret, host, port, useTLS: false });
  echo = await connect(token);
});
after(() => echo.disconnect());

test("events reach listeners, except the one who caused them", async () => {
  const [shipped, other] = [listener(), listener()];
  const channel = echo.channel("orders").listen("OrderShipped", shipped);
  const second = await connect(token);
  const twin = second.channel("orders").listen("OrderShipped", other);
  await Promise.all([subscribed(channel), subscribed(twin)]);
  const event = "App\\Events\\OrderShipped";
  const answer = await library.trigger("orders", event, { id: 1 }, { socket_id: echo.socketId() });
  assert.equal(answer.status, 200);
  assert.deepEqual(await other.next(), { id: 1 });
  await shipped.nothing();
  const batch = [
    { channel: "orders", name: event, data: { id: 2 } },
    { channel: "orders", name: event, data: { id: 3 } },
  ];
  assert.equal((await library.triggerBatch(batch)).status, 200);
  assert.deepEqual([await shipped.next(), await shipped.next()], [{ id: 2 }, { id: 3 }]);
  second.disconnect();
});

test("channels and members are told", async () => {
  const { data } = await request("GET", "/api/v1/conversations?limit=1", { token });
  const name = `conversation.${data[0].id}`;
  await subscribed(echo.join(name));
  const list = await library.get({ path: "/channels", params: { filter_by_prefix: "presence-", info: "user_count" } });
  assert.deepEqual((await list.json()).channels[`presence-${name}`], { user_count: 1 });
  const users = await library.get({ path: `/channels/presence-${name}/users` });
  const me = await request("GET", "/api/v1/session", { token });
  assert.deepEqual(await users.json(), { users: [{ id: String(me.id) }] });
  echo.leave(name);
});

test("too much data and a wrong secret are refused", async () => {
  await assert.rejects(library.trigger("orders", "big", "x".repeat(10_300)), (error) => error.status === 413);
  const { key } = await request("GET", "/api/v1/realtime", { token });
  const { hostname: host, port } = new URL(BASE_URL);
  const stranger = new Library({ appId, key, secret: "guessed", host, port, useTLS: false });
  await assert.rejects(stranger.trigger("orders", "x", {}), (error) => error.status === 401);
});

test("a user is reached wherever they are, and sent away", async () => {
  const theirs = await connect(token);
  const { pusher } = theirs.connector;
  const hello = listener();
  pusher.user.bind("hello", hello);
  pusher.signin();
  await pusher.user.signinDonePromise;
  const userChannel = pusher.user.serverToUserChannel;
  for (let tries = 0; tries < 100 && !userChannel.subscribed; tries += 1) await new Promise((r) => setTimeout(r, 20));
  const { id } = pusher.user.user_data;
  assert.equal((await library.sendToUser(id, "hello", { there: true })).status, 200);
  assert.deepEqual(await hello.next(), { there: true });
  const gone = listener();
  pusher.connection.bind("disconnected", gone);
  assert.equal((await library.terminateUserConnections(id)).status, 200);
  await gone.next();
});
