"""Chatwoot's own Python client, unmodified, against the fake Chatwoot."""

import asyncio
import json
import os
import urllib.request

import pytest
from chatwoot import AsyncChatwootClient, ChatwootClient
from chatwoot.exceptions import ChatwootAPIError, ChatwootAuthError, ChatwootNotFoundError

SANDBOX_URL = os.environ.get("SANDBOX_URL", "http://127.0.0.1:9090")
BASE_URL = f"{SANDBOX_URL}/chatwoot"


def control(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{SANDBOX_URL}/control{path}", data=data, method=method)
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=30) as response:
        text = response.read()
    return json.loads(text) if text else None


@pytest.fixture
def chatwoot():
    control("POST", "/reset")
    with ChatwootClient(base_url=BASE_URL, api_token="integrator") as client:
        yield client
    control("PATCH", "/chatwoot", {"tokens": {}})


def test_it_works_contacts(chatwoot):
    made = chatwoot.contacts.create(1, 1, name="Ana", email="ana@example.com", phone_number="+5511987654321")
    assert made.contact_inbox.source_id
    assert chatwoot.contacts.update(1, made.contact.id, name="Ana S.").name == "Ana S."
    found = chatwoot.contacts.get(1, made.contact.id)
    assert (found.name, found.phone_number, found.created_at.year >= 2026) == ("Ana S.", "+5511987654321", True)
    assert [contact.id for contact in chatwoot.contacts.list(1)] == [found.id]
    assert [contact.id for contact in chatwoot.contacts.search(1, "ana")] == [found.id]
    assert chatwoot.contacts.labels.add(1, found.id, ["vip"]) == ["vip"]
    other = chatwoot.contacts.create(1, 1, name="Twin", identifier="crm-2").contact
    assert chatwoot.contacts.merge(1, found.id, other.id).identifier == "crm-2"
    chatwoot.contacts.delete(1, found.id)
    with pytest.raises(ChatwootNotFoundError):
        chatwoot.contacts.get(1, found.id)
    with pytest.raises(ChatwootAPIError) as refused:
        chatwoot.contacts.create(1, 1, phone_number="11 99999")
    assert refused.value.status_code == 422 and "e164" in str(refused.value)


def test_it_works_conversations(chatwoot):
    text = {"phone": "+5511987654321", "name": "Ana", "text": "Hi"}
    written = control("POST", "/chatwoot/accounts/1/messages", text)["conversation_id"]
    found = chatwoot.conversations.get(1, written)
    assert (found.status, found.meta.sender.name, found.unread_count) == ("open", "Ana", 1)
    sent = chatwoot.messages.create(1, written, "Olá!")
    assert sent.content == "Olá!"
    assert [message.content for message in chatwoot.messages.list(1, written)] == ["Hi", "Olá!"]
    assert chatwoot.conversations.labels.add(1, written, ["billing"]) == ["billing"]
    assert chatwoot.conversations.list(1, status="open")[0].labels == ["billing"]
    assert chatwoot.profile.get().name == "Rui"
    assert chatwoot.agents.list(1)[1].name == "Bia"
    assert chatwoot.inboxes.list(1)[0].name == "Website API"


def test_its_other_half_is_asynchronous(chatwoot):
    control("POST", "/chatwoot/accounts/1/crowd", {"contacts": 20, "messages_each": 1})

    async def both():
        async with AsyncChatwootClient(base_url=BASE_URL, api_token="integrator") as client:
            pages = [await client.contacts.list(1, page=page) for page in (1, 2)]
            return [len(page) for page in pages], len(await client.conversations.list(1, status="open"))

    assert asyncio.run(both()) == ([15, 5], 20)


def test_wrong_tokens_are_refused(chatwoot):
    control("PATCH", "/chatwoot", {"tokens": {"right": 1}})
    with pytest.raises(ChatwootAuthError):
        chatwoot.contacts.list(1)
