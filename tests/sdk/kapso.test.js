// @kapso/whatsapp-cloud-api as the business: it sends every kind, and reads our signed webhooks.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, test } from "node:test";

import { GraphApiError, WhatsAppClient } from "@kapso/whatsapp-cloud-api";
import { normalizeWebhook, verifySignature } from "@kapso/whatsapp-cloud-api/server";

import { APP_SECRET, NUMBER, SANDBOX_URL, WABA, act, control, startBusiness } from "./sandbox.js";

const to = "+6281390045512";
const phoneNumberId = NUMBER;
const client = new WhatsAppClient({
  accessToken: "EAAtest",
  baseUrl: `${SANDBOX_URL}/graph`,
  graphVersion: "v24.0",
});

let business;
let customer;
let first;

before(async () => {
  business = await startBusiness();
  customer = (await control("POST", "/customers", { name: "Sari Wulandari", phone: to })).id;
});
after(() => business.close());

beforeEach(async () => {
  first = await act(customer, { inbox_id: "whatsapp", kind: "text", text: "Halo" });
  await business.take();
});

/** Text of the newest message on the customer's phone. */
async function newest() {
  const { entries } = await control("GET", `/customers/${customer}/chats/whatsapp`);
  return entries.at(-1);
}

describe("sending", () => {
  const { messages } = client;
  const link = "https://example.com/file";
  const kinds = {
    text: () => messages.sendText({ phoneNumberId, to, body: "Halo 👋", contextMessageId: first }),
    image: () => messages.sendImage({ phoneNumberId, to, image: { link, caption: "x" } }),
    video: () => messages.sendVideo({ phoneNumberId, to, video: { link } }),
    audio: () => messages.sendAudio({ phoneNumberId, to, audio: { link } }),
    document: () => messages.sendDocument({ phoneNumberId, to, document: { link, filename: "a.pdf" } }),
    sticker: () => messages.sendSticker({ phoneNumberId, to, sticker: { link } }),
    location: () =>
      messages.sendLocation({ phoneNumberId, to, location: { latitude: -6.17, longitude: 106.8, name: "Monas" } }),
    contacts: () =>
      messages.sendContacts({
        phoneNumberId,
        to,
        contacts: [{ name: { formattedName: "Budi S", firstName: "Budi" }, phones: [{ phone: "+628", type: "WORK" }] }],
      }),
    reaction: () => messages.sendReaction({ phoneNumberId, to, reaction: { messageId: first, emoji: "😀" } }),
    interactive: () =>
      messages.sendInteractiveButtons({
        phoneNumberId,
        to,
        bodyText: "Pick",
        buttons: [
          { id: "y", title: "Ya" },
          { id: "n", title: "Tidak" },
        ],
      }),
    "interactive list": () =>
      messages.sendInteractiveList({
        phoneNumberId,
        to,
        bodyText: "Pick",
        buttonText: "Open",
        sections: [{ title: "Days", rows: [{ id: "1", title: "Selasa", description: "pagi" }] }],
      }),
    "interactive link": () =>
      messages.sendInteractiveCtaUrl({
        phoneNumberId,
        to,
        bodyText: "Dates",
        parameters: { displayText: "See", url: "https://example.com" },
      }),
    template: () =>
      messages.sendTemplate({
        phoneNumberId,
        to,
        template: {
          name: "order_update",
          language: { code: "id" },
          components: [
            {
              type: "body",
              parameters: [
                { type: "text", text: "Sari" },
                { type: "text", text: "#4471" },
              ],
            },
          ],
        },
      }),
  };
  for (const [kind, send] of Object.entries(kinds)) {
    test(`${kind} reaches the phone`, async () => {
      const answer = await send();
      assert.equal(answer.contacts[0].waId, "6281390045512");
      const entry = await newest();
      assert.equal(entry.id, answer.messages[0].id);
      assert.equal(entry.kind, kind.split(" ")[0]);
    });
  }

  test("an uploaded file is sent, described and deleted", async () => {
    const file = new Blob([Buffer.from("%PDF-1.4")], { type: "application/pdf" });
    const { id } = await client.media.upload({ phoneNumberId, type: "document", file, fileName: "nota.pdf" });
    await messages.sendDocument({ phoneNumberId, to, document: { id, filename: "nota.pdf" } });
    assert.equal((await newest()).media.file_name, "nota.pdf");
    assert.equal((await client.media.get({ mediaId: id })).mimeType, "application/pdf");
    assert.equal((await client.media.delete({ mediaId: id })).success, true);
  });

  test("a message is marked as read and typing is shown", async () => {
    const answer = await messages.markRead({ phoneNumberId, messageId: first, typingIndicator: { type: "text" } });
    assert.equal(answer.success, true);
    assert.equal((await newest()).progress, "read");
  });

  test("templates are listed", async () => {
    const { data } = await client.templates.list({ businessAccountId: WABA });
    assert.ok(data.some((template) => template.name === "hello_world" && template.status === "APPROVED"));
  });
});

describe("refusals are understood", () => {
  test("a closed window", async () => {
    await control("POST", `/customers/${customer}/chats/whatsapp/silence`, { hours: 24 });
    await assert.rejects(client.messages.sendText({ phoneNumberId, to, body: "late" }), (error) => {
      assert.ok(error instanceof GraphApiError);
      assert.equal(error.code, 131047);
      assert.equal(error.category, "reengagementWindow");
      return true;
    });
  });

  test("a rate limit with its wait", async () => {
    await control("PUT", "/faults/whatsapp_cloud", [{ fault: "too_many_requests", retry_after_s: 7, next: 1 }]);
    await assert.rejects(client.messages.sendText({ phoneNumberId, to, body: "fast" }), (error) => {
      assert.equal(error.httpStatus, 429);
      assert.equal(error.retry.action, "retry_after");
      assert.equal(error.retry.retryAfterMs, 7000);
      return true;
    });
  });

  test("an expired token", async () => {
    await control("PUT", "/faults/whatsapp_cloud", [{ fault: "error_code", code: 190, next: 1 }]);
    await assert.rejects(client.messages.sendText({ phoneNumberId, to, body: "x" }), (error) => {
      assert.equal(error.category, "authorization");
      return true;
    });
  });
});

describe("our webhooks", () => {
  const actions = {
    text: { kind: "text", text: "Café 👍 https://example.com/a" },
    image: { kind: "image", caption: "foto" },
    audio: { kind: "voice" },
    video: { kind: "video" },
    document: { kind: "document" },
    sticker: { kind: "sticker" },
    location: { kind: "location", latitude: -6.2, longitude: 106.8 },
    contacts: { kind: "contacts", contacts: [{ name: "Budi S", phone: "+62 8" }] },
    unsupported: { kind: "unsupported" },
  };
  for (const [type, action] of Object.entries(actions)) {
    test(`${type} is genuine and understood`, async () => {
      const id = await act(customer, { inbox_id: "whatsapp", ...action });
      const [{ body, signature }] = await business.take();
      assert.ok(verifySignature({ appSecret: APP_SECRET, rawBody: body, signatureHeader: signature }));
      const { messages, contacts, phoneNumberId: number } = normalizeWebhook(JSON.parse(body));
      assert.equal(number, NUMBER);
      assert.equal(contacts[0].waId, "6281390045512");
      assert.equal(messages[0].id, id);
      assert.equal(messages[0].type, type);
      if (action.text) assert.equal(messages[0].text.body, action.text);
    });
  }

  test("one changed byte is refused", async () => {
    await act(customer, { inbox_id: "whatsapp", kind: "text", text: "x" });
    const [{ body, signature }] = await business.take();
    body[body.length - 2] ^= 1;
    assert.equal(verifySignature({ appSecret: APP_SECRET, rawBody: body, signatureHeader: signature }), false);
  });

  test("an answer to a button names it", async () => {
    const answer = await client.messages.sendInteractiveButtons({
      phoneNumberId,
      to,
      bodyText: "Pick",
      buttons: [{ id: "y", title: "Ya" }],
    });
    await business.take();
    const message_id = answer.messages[0].id;
    await act(customer, { inbox_id: "whatsapp", kind: "button_reply", message_id, id: "y", title: "Ya" });
    const [{ body }] = await business.take();
    const { messages } = normalizeWebhook(JSON.parse(body));
    assert.equal(messages[0].interactive.buttonReply.id, "y");
    assert.equal(messages[0].context.id, message_id);
  });

  test("statuses come in order up to read", async () => {
    const answer = await client.messages.sendText({ phoneNumberId, to, body: "x" });
    const told = await business.take();
    await control("POST", `/customers/${customer}/chats/whatsapp/open`);
    told.push(...(await business.take()));
    await control("POST", `/customers/${customer}/chats/whatsapp/close`);
    const statuses = told.flatMap(({ body }) => normalizeWebhook(JSON.parse(body)).statuses);
    const own = statuses.filter((status) => status.id === answer.messages[0].id).map((status) => status.status);
    assert.deepEqual(own, ["sent", "delivered", "read"]);
  });
});
