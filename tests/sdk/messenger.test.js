// messaging-api-messenger as the business: token and appsecret_proof in the query, /me/messages.
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import messaging from "messaging-api-messenger";

import { APP_SECRET, SANDBOX_URL, act, control, startBusiness } from "./sandbox.js";

const { MessengerClient } = messaging;

let business;
let client;
let customer;
let psid;

before(async () => {
  business = await startBusiness();
  await control("PATCH", "/settings", { require_appsecret_proof: true });
  customer = (await control("POST", "/customers", { name: "Budi Santoso" })).id;
  await act(customer, { inbox_id: "messenger", kind: "text", text: "Halo" });
  psid = (await control("GET", `/customers/${customer}`)).scoped_ids.messenger;
  await business.take();
  client = new MessengerClient({
    accessToken: "EAAtest",
    appSecret: APP_SECRET,
    version: "22.0",
    origin: `${SANDBOX_URL}/graph`,
  });
});
after(async () => {
  await control("PATCH", "/settings", { require_appsecret_proof: false });
  await business.close();
});

const chat = () => control("GET", `/customers/${customer}/chats/messenger`);

describe("messaging-api-messenger", () => {
  test("sends text", async () => {
    const answer = await client.sendText(psid, "Halo juga");
    assert.equal(answer.recipientId, psid);
    const entry = (await chat()).entries.at(-1);
    assert.deepEqual([entry.id, entry.text], [answer.messageId, "Halo juga"]);
  });

  test("sends an image by link and as a file", async () => {
    await client.sendImage(psid, "https://example.com/image.jpg");
    assert.equal((await chat()).entries.at(-1).media.url, "https://example.com/image.jpg");
    await client.sendImage(psid, Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), { filename: "image.png" });
    assert.match((await chat()).entries.at(-1).media.url, /^\/control\/media\//);
  });

  test("uploads an attachment and sends it", async () => {
    const { attachmentId } = await client.uploadImage("https://example.com/image.jpg", { isReusable: true });
    await client.sendImage(psid, { attachmentId });
    assert.equal((await chat()).entries.at(-1).kind, "image");
  });

  test("sends quick replies and buttons", async () => {
    const quickReplies = [{ contentType: "text", title: "Merah", payload: "RED" }];
    await client.sendMessage(psid, { text: "Warna?", quickReplies });
    assert.equal((await chat()).entries.at(-1).content.quick_replies[0].payload, "RED");
    await client.sendButtonTemplate(psid, "Pilih", [{ type: "postback", title: "Mulai", payload: "GO" }]);
    assert.equal((await chat()).entries.at(-1).kind, "template");
  });

  test("shows typing and marks as seen", async () => {
    await client.typingOn(psid);
    assert.ok((await chat()).business_typing_until_ms > 0);
    await client.typingOff(psid);
    await client.markSeen(psid);
    const view = await chat();
    assert.equal(view.business_typing_until_ms, null);
    assert.equal(view.entries[0].progress, "read");
  });

  test("reads the profile", async () => {
    const profile = await client.getUserProfile(psid);
    assert.deepEqual([profile.firstName, profile.lastName], ["Budi", "Santoso"]);
  });

  test("is refused outside the window, but for a human agent", async () => {
    await control("POST", `/customers/${customer}/chats/messenger/silence`, { hours: 24 });
    await assert.rejects(client.sendText(psid, "late"), /outside of allowed window/);
    const answer = await client.sendText(psid, "from a person", { tag: "HUMAN_AGENT" });
    assert.equal((await chat()).entries.at(-1).id, answer.messageId);
  });

  test("is refused with another app's proof", async () => {
    const origin = `${SANDBOX_URL}/graph`;
    const other = new MessengerClient({ accessToken: "EAAtest", appSecret: "other", version: "22.0", origin });
    await assert.rejects(other.sendText(psid, "x"), /appsecret_proof/);
  });
});
