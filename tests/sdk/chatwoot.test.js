// Another people's Chatwoot client, unmodified: it works an account of the fake as an integrator would.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import chatwoot from "@figuro/chatwoot-sdk";
import { control, SANDBOX_URL } from "./sandbox.js";

const ChatwootClient = chatwoot.default;
const accountId = 1;
const client = new ChatwootClient({ config: { basePath: `${SANDBOX_URL}/chatwoot`, token: "integrator" } });

before(() => control("POST", "/reset"));
after(() => control("DELETE", "/faults"));

test("contacts are made, found, changed and deleted", async () => {
  const made = await client.contacts.create({
    accountId,
    data: { inbox_id: 1, name: "João Silva", email: "joao@example.com", phone_number: "+5511999999999" },
  });
  const id = made.payload.contact.id;
  assert.equal((await client.contacts.get({ accountId, id })).payload.email, "joao@example.com");
  await client.contacts.update({ accountId, id, data: { name: "João S." } });
  const listed = await client.contacts.list({ accountId, sort: "name" });
  assert.deepEqual([listed.meta.count, listed.payload[0].name], [1, "João S."]);
  assert.equal((await client.contacts.search({ accountId, q: "JOÃO" })).payload.length, 1);
  const condition = { attribute_key: "email", filter_operator: "equal_to", values: ["joao@example.com"] };
  assert.equal((await client.contacts.filter({ accountId, payload: [condition] })).payload[0].id, id);
  assert.deepEqual((await client.contacts.listConversations({ accountId, id })).payload, []);
  await client.contacts.delete({ accountId, id });
  await assert.rejects(client.contacts.get({ accountId, id }), { status: 404 });
});

test("a conversation is answered, labelled, assigned and resolved", async () => {
  const text = { phone: "+5511987654321", name: "Ana", text: "Hi" };
  const { conversation_id: conversationId } = await control("POST", "/chatwoot/accounts/1/messages", text);
  const found = await client.conversations.get({ accountId, conversationId });
  assert.deepEqual([found.status, found.meta.sender.name], ["open", "Ana"]);
  const sent = await client.messages.create({ accountId, conversationId, data: { content: "Olá!" } });
  assert.deepEqual([sent.message_type, sent.content], [1, "Olá!"]);
  const png = { content: Buffer.from("PNG").toString("base64"), encoding: "base64", filename: "a.png" };
  const data = { content: "See", attachments: [png] };
  const filed = await client.messages.create({ accountId, conversationId, data });
  assert.equal(filed.attachments.length, 1);
  const listed = await client.messages.list({ accountId, conversationId });
  assert.deepEqual(listed.payload.map((message) => message.content), ["Hi", "Olá!", "See"]);
  await client.messages.delete({ accountId, conversationId, messageId: sent.id });
  const labels = await client.conversationLabels.add({ accountId, conversationId, data: { labels: ["vip"] } });
  assert.deepEqual(labels.payload, ["vip"]);
  const agent = await client.conversationAssignment.assign({ accountId, conversationId, data: { assignee_id: 2 } });
  assert.equal(agent.name, "Bia");
  const toggled = await client.conversations.toggleStatus({ accountId, conversationId, data: { status: "resolved" } });
  assert.equal(toggled.payload.current_status, "resolved");
  const resolved = await client.conversations.list({ accountId, status: "resolved", assigneeType: "all" });
  assert.equal(resolved.data.payload[0].id, conversationId);
  assert.equal((await client.conversations.getMeta({ accountId, status: "open" })).meta.all_count, 0);
});

test("what is set up is listed, and webhooks have their secrets", async () => {
  assert.equal((await client.inboxes.list({ accountId })).payload[0].channel_type, "Channel::Api");
  assert.deepEqual((await client.agents.list({ accountId })).map((agent) => agent.name), ["Rui", "Bia"]);
  assert.equal((await client.teams.list({ accountId }))[0].name, "sales");
  const canned = await client.cannedResponses.create({ accountId, data: { short_code: "hi", content: "Hello" } });
  assert.ok((await client.cannedResponses.list({ accountId })).some((found) => found.id === canned.id));
  const data = { url: `https://ours.example/${Date.now()}`, subscriptions: ["message_created"] };
  const made = (await client.webhooks.create({ accountId, data })).payload.webhook;
  assert.ok(made.secret.length > 10);
  await client.webhooks.delete({ accountId, webhookId: made.id });
  await client.cannedResponses.delete({ accountId, id: canned.id });
});

test("refusals are handed on as they are", async () => {
  const data = { inbox_id: 1, email: "twice@example.com" };
  await client.contacts.create({ accountId, data });
  await assert.rejects(client.contacts.create({ accountId, data }), (error) => {
    assert.deepEqual([error.status, error.body.attributes], [422, ["email"]]);
    return true;
  });
  await control("PUT", "/faults/chatwoot", [{ fault: "too_many_requests", retry_after_s: 0, next: 1, scope: "all" }]);
  await assert.rejects(client.agents.list({ accountId }), (error) => {
    assert.deepEqual([error.status, error.body], [429, "Retry later\n"]);
    return true;
  });
});
