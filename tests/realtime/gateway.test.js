// The gateway as the CRM of a charity uses it: the same calls that its PHP service and its page make.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { after, before, test } from "node:test";

import { BASE_URL, connect, customerWrites, listener, request, signIn, subscribed } from "./desk.js";

let token;
let session;
let service;
let hook;
let echo;

/** What `makeRequest` of the PHP service does: `data` of the body, or the body; anything from 400 is an error. */
function gateway(bearer) {
  const call = async (method, endpoint, data = {}) => {
    const query = method === "GET" ? `?${new URLSearchParams(data)}` : "";
    const response = await fetch(`${BASE_URL}/api/v1${endpoint}${query}`, {
      method,
      headers: { Authorization: `Bearer ${bearer}`, "Content-Type": "application/json" },
      body: method !== "GET" && Object.keys(data).length > 0 ? JSON.stringify(data) : undefined,
    });
    const body = await response.json();
    if (response.status >= 400) return { success: false, data: null, message: body.message };
    return { success: true, data: body.data ?? body, message: body.message ?? "Success" };
  };
  return {
    getConversations: (id, filters) => call("GET", `/sessions/${id}/chats`, filters),
    getMessages: (id, chatId, limit = 50) => call("GET", `/sessions/${id}/messages`, { chatId, limit }),
    searchConversations: (id, query) => call("GET", `/sessions/${id}/chats/search`, { query }),
    sendTextMessage: (id, phone, message) => call("POST", `/sessions/${id}/messages/text`, { phone, message }),
    sendImage: (id, phone, image, caption = "") =>
      call("POST", `/sessions/${id}/messages/image`, { phone, image, caption }),
    sendDocument: (id, phone, document, filename) =>
      call("POST", `/sessions/${id}/messages/document`, { phone, document, filename }),
    sendTemplate: (id, phone, template_id, variables = {}) =>
      call("POST", `/sessions/${id}/messages/template`, { phone, template_id, variables }),
    markAsRead: (id, chatId) => call("POST", `/sessions/${id}/chats/${chatId}/read`),
    getContactInfo: (id, phone) => call("GET", `/sessions/${id}/contacts/${phone}`),
    checkNumberRegistered: (id, phone) => call("GET", `/sessions/${id}/contacts/${phone}/check`),
    getProfilePicture: (id, phone) => call("GET", `/sessions/${id}/contacts/${phone}/picture`),
  };
}

/** The controller that webhooks are for: keeps what it is told, after checking that it is genuine. */
async function receiver() {
  const heard = listener();
  const state = { secret: "" };
  const server = createServer((incoming, answer) => {
    const chunks = [];
    incoming.on("data", (chunk) => chunks.push(chunk));
    incoming.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      const { "webhook-id": id, "webhook-timestamp": at, "webhook-signature": signature } = incoming.headers;
      const key = Buffer.from(state.secret.slice("whsec_".length), "base64");
      const expected = `v1,${createHmac("sha256", key).update(`${id}.${at}.${body}`).digest("base64")}`;
      heard({ ...JSON.parse(body), genuine: signature.split(" ").includes(expected) });
      answer.setHeader("content-type", "application/json");
      answer.end(JSON.stringify({ success: true }));
    });
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return { heard, state, url: `http://127.0.0.1:${server.address().port}/api/webhook/whatsapp`, close: () => server.close() };
}

before(async () => {
  token = await signIn();
  service = gateway(token);
  const { data } = await request("GET", "/api/v1/inboxes", { token });
  session = String(data.find(({ channel }) => channel === "whatsapp_cloud").id);
  hook = await receiver();
  const events = ["message.received", "message.status"];
  const made = await request("POST", "/api/v1/webhooks", { token, body: { url: hook.url, events } });
  hook.state.secret = made.secret;
  echo = await connect(token);
});
after(() => {
  echo.disconnect();
  hook.close();
});

test("what a donor writes reaches the webhook, the page and the lists", async () => {
  const fresh = listener();
  const inbox = echo.private("inbox").listen("NewMessageReceived", fresh);
  await subscribed(inbox);
  await customerWrites("Assalamualaikum, mau donasi");
  const told = await hook.heard.next();
  assert.equal(told.event, "message.received");
  assert.ok(told.genuine);
  assert.equal(told.data.message, "Assalamualaikum, mau donasi");
  assert.match(told.data.from, /^[0-9]{8,15}$/);
  for (const field of ["pushName", "type", "id", "timestamp"]) assert.ok(told.data[field], field);

  const event = await fresh.next();
  const conversations = await request("GET", "/api/crm/inbox", { token });
  const selected = conversations.conversations.find(({ phone }) => phone === event.message.donatur.phone);
  assert.ok(selected, "the page finds the chat by the donor's number");

  const chats = await service.getConversations(session, { filter: "all", search: "", limit: 50 });
  assert.equal(chats.success, true);
  const chat = chats.data.find(({ phone }) => phone === told.data.from);
  for (const field of ["id", "name", "phone", "last_message", "timestamp", "unread_count", "is_starred"])
    assert.ok(field in chat, field);
  assert.equal(chat.last_message, "Assalamualaikum, mau donasi");
  assert.ok(chat.unread_count > 0);

  const messages = await service.getMessages(session, chat.id);
  assert.equal(messages.data.at(-1).message, "Assalamualaikum, mau donasi");
  assert.equal(messages.data.at(-1).id, told.data.id);
  assert.ok((await service.searchConversations(session, "donasi")).data.some(({ id }) => id === chat.id));
  assert.equal((await service.markAsRead(session, chat.id)).success, true);
  const unread = await service.getConversations(session, { filter: "unread" });
  assert.ok(unread.data.every(({ id }) => id !== chat.id));
});

test("an answer goes out, and its statuses carry the id it was answered with", async () => {
  const { data } = await service.getConversations(session, {});
  const [{ phone }] = data;
  const sent = await service.sendTextMessage(session, phone, "Terima kasih!");
  assert.equal(sent.success, true);
  let told;
  do told = await hook.heard.next();
  while (told.event !== "message.status" || told.data.status !== "sent");
  assert.equal(told.data.id, sent.data.id);

  const picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
  assert.equal((await service.sendImage(session, phone, picture, "Poster")).success, true);
  const pdf = `data:application/pdf;base64,${Buffer.from("%PDF-1.4\n%%EOF").toString("base64")}`;
  assert.equal((await service.sendDocument(session, phone, pdf, "kwitansi.pdf")).success, true);
  const path = await service.sendImage(session, phone, "/var/www/storage/app/public/whatsapp/images/a.jpg");
  assert.equal(path.success, false);
  assert.match(path.message, /multipart\/form-data/);
});

test("texts are filled in here, and people are looked up", async () => {
  const { data } = await service.getConversations(session, {});
  const [{ phone }] = data;
  const shortcut = `thanks${Date.now()}`;
  const body = { shortcut, content: "Terima kasih, {{amount}} sudah kami terima." };
  await request("POST", "/api/crm/quick-replies", { token, body });
  const sent = await service.sendTemplate(session, phone, shortcut, { amount: "Rp250.000" });
  assert.equal(sent.data.content, "Terima kasih, Rp250.000 sudah kami terima.");
  assert.equal((await service.sendTemplate(session, phone, shortcut)).success, false);

  const known = await service.getContactInfo(session, phone);
  assert.equal(known.data.exists, true);
  assert.equal((await service.checkNumberRegistered(session, phone)).data.registered, true);
  const unknown = await service.getContactInfo(session, "6289999999999");
  assert.deepEqual([unknown.success, unknown.data.exists, unknown.data.name], [true, false, null]);
  assert.equal((await service.getProfilePicture(session, "6289999999999")).data.url, null);
});
