// laravel-echo on pusher-js: what a page does.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { connect, customerWrites, hire, line, listener, request, signIn, subscribed } from "./desk.js";

let token;
let ada;
let ben;
const open = [];

async function page(of, port) {
  const echo = await connect(of, port);
  open.push(echo);
  return echo;
}

before(async () => {
  token = await signIn();
  const admin = await request("GET", "/api/v1/session", { token });
  ada = { id: String(admin.id), name: admin.name, token };
  ben = await hire(token, "Benedikt");
});
after(() => open.forEach((echo) => echo.disconnect()));

test("a customer's message arrives on the private channels", async () => {
  const echo = await page(ada.token);
  const received = listener();
  const fresh = listener();
  const account = echo.private("account.1").listen("MessageReceived", received);
  const inbox = echo.private("inbox").listen("NewMessageReceived", fresh);
  await Promise.all([subscribed(account), subscribed(inbox)]);
  await customerWrites("Is the blend in stock?");
  const [one, two] = [await received.next(), await fresh.next()];
  assert.equal(one.message.content, "Is the blend in stock?");
  assert.equal(one.message.direction, "inbound");
  assert.equal(one.conversation.id, one.message.conversation_id);
  assert.ok(one.seq > 0);
  assert.equal(two.message.content, one.message.content);
  assert.deepEqual(two.conversation, one.conversation);
  // The words of those who show donors.
  assert.equal(two.message.message, "Is the blend in stock?");
  assert.equal(two.message.type, "text");
  assert.equal(two.message.direction, "incoming");
  assert.equal(two.message.wa_message_id, one.message.platform_message_id);
  assert.equal(two.message.donatur.phone, one.conversation.customer.phone);
  assert.ok(two.timestamp && two.message.timestamp);
  await received.nothing();
});

test("a channel of another account, or of no conversation, is refused", async () => {
  const echo = await page(ada.token);
  await assert.rejects(subscribed(echo.private("account.999")), (error) => error.answer.status === 403);
  await assert.rejects(subscribed(echo.join("conversation.999999")), (error) => error.answer.status === 403);
});

test("colleagues on a conversation see each other come, whisper and go", async () => {
  const { data } = await request("GET", "/api/v1/conversations?limit=1", { token });
  const name = `conversation.${data[0].id}`;
  const [here, joining, leaving, typing, echoed] = [listener(), listener(), listener(), listener(), listener()];
  const hers = await page(ada.token);
  hers.join(name).here(here).joining(joining).leaving(leaving).listenForWhisper("typing", typing);
  assert.deepEqual(await here.next(), [{ name: ada.name }]);

  const his = await page(ben.token);
  const hisHere = listener();
  const room = his.join(name).here(hisHere).listenForWhisper("typing", echoed);
  const both = await hisHere.next();
  assert.deepEqual(both.map((member) => member.name).sort(), [ada.name, ben.name].sort());
  assert.deepEqual(await joining.next(), { name: ben.name });

  room.whisper("typing", { name: ben.name });
  assert.deepEqual(await typing.next(), { name: ben.name });
  await echoed.nothing();

  const again = await page(ben.token);
  await subscribed(again.join(name));
  await joining.nothing();
  again.disconnect();
  await leaving.nothing();
  his.leave(name);
  assert.deepEqual(await leaving.next(), { name: ben.name });
});

test("after a lost line the client returns by itself and misses nothing", async () => {
  const wire = await line();
  try {
    const echo = await page(ada.token, wire.port);
    const received = listener();
    const returned = listener();
    const channel = echo.private("account.1").listen("MessageReceived", received);
    await subscribed(channel);
    await customerWrites("before");
    const before = await received.next();
    assert.equal(before.message.content, "before");

    channel.subscribed(returned);
    wire.cut();
    await customerWrites("meanwhile");
    let events = [];
    for (let tries = 0; tries < 100 && events.length === 0; tries += 1) {
      await new Promise((r) => setTimeout(r, 50));
      const page = await request("GET", `/api/v1/events?after=${before.seq}`, { token });
      events = page.data.filter((event) => event.name === "MessageReceived");
    }
    wire.mend();
    await returned.next();
    await customerWrites("after");
    const later = await received.next();
    assert.equal(later.message.content, "after");

    const missed = await request("GET", `/api/v1/events?after=${before.seq}`, { token });
    assert.equal(missed.resync, false);
    assert.deepEqual(
      missed.data.map((event) => event.seq),
      missed.data.map((_, index) => before.seq + 1 + index),
    );
    const texts = missed.data.filter((e) => e.name === "MessageReceived").map((e) => e.data.message.content);
    assert.deepEqual(texts, ["meanwhile", "after"]);
  } finally {
    wire.close();
  }
});

test("a user signs in on the socket", async () => {
  const echo = await page(ben.token);
  const { pusher } = echo.connector;
  const hello = listener();
  pusher.user.bind("hello", hello);
  pusher.signin();
  await pusher.user.signinDonePromise;
  assert.equal(pusher.user.user_data.id, ben.id);
});
