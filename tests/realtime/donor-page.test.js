// A donors' page as people build it with axios and laravel-echo: the addresses, fields, channel and event names that such
// pages have, and nothing that only our own page knows.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import axios from "axios";

import { BASE_URL, connect, listener, request, signIn, subscribed } from "./desk.js";

const stamp = Date.now();
const session = `donors-${stamp}`;
let token;
let api;
let whatsappAPI;
let echo;
let phone;
let donor;

before(async () => {
  token = await signIn();
  api = axios.create({
    baseURL: `${BASE_URL}/api/crm`,
    headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/json" },
  });
  whatsappAPI = {
    getConversations: (filters) => api.get("/inbox", { params: filters }),
    getMessages: (chatId) => api.get(`/inbox/${chatId}`),
    markAsRead: (chatId) => api.post(`/inbox/${chatId}/read`),
    star: (chatId) => api.post(`/inbox/${chatId}/star`),
    sendMessage: (data) => api.post("/messages/send", data),
    sendTemplate: (data) => api.post("/messages/template", data),
    sendQuickReply: (data) => api.post("/messages/quick-reply", data),
    getSessions: () => api.get("/whatsapp/sessions"),
    getQR: (id) => api.get(`/whatsapp/sessions/${id}/qr`),
    getStatus: (id) => api.get(`/whatsapp/sessions/${id}/status`),
    getProfile: (number) => api.get(`/contacts/${number}`),
    addNote: (number, note) => api.post(`/contacts/${number}/notes`, { note }),
  };
  // The public channel, as pages name it; the server lets signed-in sockets listen there.
  echo = await connect(token);
  const { pusher } = echo.connector;
  const signedIn = new Promise((resolve) => pusher.bind("pusher:signin_success", resolve));
  pusher.signin();
  await signedIn;
  const number = `62898${stamp % 100_000_000}`;
  ({ inbox_id: phone } = await control("POST", "/linked", { phone: number, name: "Donors' phone" }));
  [, donor] = await control("GET", "/customers");
});
after(() => echo.disconnect());

const control = (method, path, body) => request(method, `/control${path}`, { body });
const writes = (text) =>
  control("POST", `/customers/${donor.id}/messages`, { inbox_id: phone, kind: "text", text });

/** The next event that is about what was asked for: others of the demo go on meanwhile. */
async function heard(events, isIt) {
  for (;;) {
    const event = await events.next();
    if (isIt(event)) return event;
  }
}

test("a session is made, scanned and told of as connected", async () => {
  const changed = listener();
  const channel = echo.channel("inbox").listen("SessionStatusChanged", changed);
  await subscribed(channel);
  await api.post("/whatsapp/sessions", { session_name: session });
  const qr = await whatsappAPI.getQR(session);
  assert.equal(qr.data.success, true);
  assert.match(qr.data.data.image, /^data:image\/png;base64,/);
  assert.ok(qr.data.data.qr_code && qr.data.data.expires_at);
  assert.equal((await whatsappAPI.getStatus(session)).data.data.status, "connecting");

  await control("POST", `/linked/${phone}/scan`, { session });
  const event = await heard(changed, (e) => e.sessionId === session && e.status === "connected");
  assert.equal(event.data?.status ?? event.status, "connected");
  const { data } = await whatsappAPI.getSessions();
  const shown = data.data.find(({ session_id }) => session_id === session);
  assert.equal(shown.status, "connected");
  for (const field of ["user_id", "name", "phone_number", "active_chats", "last_activity"])
    assert.ok(field in shown, field);
  await assert.rejects(whatsappAPI.getQR(session), ({ response }) => response.status === 409);
});

test("what a donor writes is pushed, listed, read and answered", async () => {
  const [fresh, typing] = [listener(), listener()];
  echo.channel("inbox").listen("NewMessageReceived", fresh).listen("DonaturTyping", typing);
  const words = `Saya sudah transfer ${stamp}`;
  await writes(words);
  const { message } = await heard(fresh, (e) => e.message.message === words);
  assert.equal(message.direction, "incoming");
  for (const field of ["id", "type", "timestamp", "wa_message_id"]) assert.ok(message[field], field);

  await control("POST", `/customers/${donor.id}/chats/${phone}/typing`, { typing: true });
  const types = await heard(typing, ({ from }) => from?.endsWith(donor.phone));
  assert.equal(types.isTyping, true);

  const { data } = await whatsappAPI.getConversations({ filter: "unread", limit: 50 });
  const chat = data.conversations.find(({ last_message }) => last_message === words);
  // What the page compares to tell whether the message is of the chat on screen.
  assert.equal(chat.phone, message.donatur.phone);
  assert.equal(chat.phone, types.from);
  for (const field of ["id", "name", "phone", "last_message", "timestamp", "unread_count", "is_starred"])
    assert.notEqual(chat[field], undefined, field);
  for (const field of ["lifetime_value", "donation_count", "avg_donation", "last_donation", "segment", "engagement_score"])
    assert.ok(field in chat.donatur, field);

  const { messages } = (await whatsappAPI.getMessages(chat.id)).data;
  assert.equal(messages.at(-1).message, words);
  assert.equal(messages.at(-1).direction, "incoming");
  assert.ok(messages.at(-1).id && messages.at(-1).timestamp);
  await whatsappAPI.markAsRead(chat.id);
  await whatsappAPI.star(chat.id);
  const starred = (await whatsappAPI.getConversations({ filter: "starred" })).data.conversations;
  assert.equal(starred.find(({ id }) => id === chat.id).unread_count, 0);

  const switched = await api.post("/switch-session", { session_id: session });
  assert.deepEqual([switched.data.success, switched.data.message], [true, "Session switched"]);
  const answer = `Terima kasih! ${stamp}`;
  const sent = await whatsappAPI.sendMessage({ phone: chat.phone, message: answer, type: "text" });
  assert.deepEqual([sent.status, sent.data.success], [200, true]);
  const after = (await whatsappAPI.getMessages(chat.id)).data.messages.at(-1);
  assert.deepEqual([after.message, after.direction], [answer, "outgoing"]);
  for (;;) {
    const { entries } = await control("GET", `/customers/${donor.id}/chats/${phone}`);
    if (entries.some(({ text }) => text === answer)) break;
    await new Promise((again) => setTimeout(again, 20));
  }
});

test("a donor's profile shows what was given and noted", async () => {
  await whatsappAPI.addNote(donor.phone, `Telepon sore ${stamp}`);
  await api.post(`/contacts/${donor.phone}/donations`, { amount: 250_000 });
  const due = new Date(Date.now() + 86_400_000).toISOString();
  await api.post(`/contacts/${donor.phone}/reminders`, { text: "Kirim kwitansi", due_at: due });
  const profile = (await whatsappAPI.getProfile(donor.phone)).data;
  assert.ok(profile.whatsapp);
  assert.equal(profile.donatur.notes[0].note ?? profile.donatur.notes[0].content, `Telepon sore ${stamp}`);
  assert.ok(profile.donatur.donations.length > 0 && profile.donatur.reminders.length > 0);
  for (const field of ["lifetime_value", "donation_count", "avg_donation", "last_donation", "engagement_score"])
    assert.ok(profile.metrics[field] !== undefined, field);

  const nobody = (await whatsappAPI.getProfile("6289999999999")).data;
  assert.deepEqual([nobody.donatur, nobody.metrics.donation_count], [null, 0]);
  const dashboard = (await api.get("/dashboard")).data;
  assert.ok(dashboard.sessions.length > 0);
  for (const field of ["total_sessions", "connected", "total_active_chats"])
    assert.ok(Number.isInteger(dashboard.summary[field]), field);
});
