"""Green API's own Python client as the business, unchanged: it sends, uploads, looks up, polls, and is refused."""

import asyncio
import json
import os
import threading
import urllib.request

import pytest
from whatsapp_api_client_python import API

SANDBOX_URL = os.environ.get("SANDBOX_URL", "http://127.0.0.1:9090")
ID, TOKEN = "1101000001", "d75b3a66374942c5b3c019c698abc2067e151558acbd412345"
GUEST = "15550100002@c.us"


def control(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{SANDBOX_URL}/control{path}", data=data, method=method)
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=30) as response:
        text = response.read()
    return json.loads(text) if text else None


@pytest.fixture(scope="module")
def hotel():
    control("POST", "/reset")
    inbox = {"id": "hotel", "channel": "green_api", "name": "Hotel", "account_id": ID, "access_token": TOKEN}
    control("POST", "/inboxes", inbox)
    control("POST", "/customers", {"id": "ada", "name": "Ada Guest", "phone": "15550100002"})
    host = f"{SANDBOX_URL}/green"
    yield API.GreenAPI(ID, TOKEN, host=host, media=host)
    control("DELETE", "/inboxes/hotel")


def ok(response):
    assert response.code == 200, (response.code, response.data, response.error)
    return response.data


def test_it_sends_every_kind(hotel, tmp_path):
    sending = hotel.sending
    first = ok(sending.sendMessage(GUEST, "Hello"))["idMessage"]
    ok(sending.sendMessage(GUEST, "And again", quotedMessageId=first))
    ok(sending.sendFileByUrl(GUEST, "https://example.com/menu.pdf", "menu.pdf", caption="Menu"))
    picture = tmp_path / "view.png"
    picture.write_bytes(b"\x89PNG\r\n\x1a\n")
    upload = ok(sending.sendFileByUpload(GUEST, str(picture), "view.png", caption="View"))
    assert urllib.request.urlopen(upload["urlFile"]).read() == picture.read_bytes()
    uploaded = ok(sending.uploadFile(str(picture)))
    assert urllib.request.urlopen(uploaded["urlFile"]).headers["content-type"] == "image/png"
    ok(sending.sendLocation(GUEST, 40.7, -74.0, nameLocation="Pier 1"))
    ok(sending.sendContact(GUEST, {"phoneContact": 15550100009, "firstName": "Ann"}))
    ok(sending.sendPoll(GUEST, "Breakfast?", [{"optionName": "7:00"}, {"optionName": "8:00"}]))
    button = {"type": "url", "buttonId": "1", "buttonText": "Open", "url": "https://example.com"}
    ok(sending.sendInteractiveButtons(GUEST, "Look", [button], header="H", footer="F"))
    ok(sending.sendInteractiveButtonsReply(GUEST, "Late?", [{"buttonId": "1", "buttonText": "Yes"}]))
    assert len(ok(sending.forwardMessages(GUEST, GUEST, [first]))["messages"]) == 1
    ok(hotel.serviceMethods.sendTyping(GUEST, 2000))
    kinds = [delivery["kind"] for delivery in control("GET", "/deliveries?inbox_id=hotel")["data"]]
    assert kinds == [
        "text", "text", "document", "image", "location", "contacts", "poll", "interactive", "interactive", "text"
    ]


def test_it_manages_the_instance(hotel):
    account = hotel.account
    assert ok(account.getStateInstance())["stateInstance"] == "authorized"
    wanted = {"incomingWebhook": "yes", "outgoingWebhook": "yes", "delaySendMessagesMilliseconds": 500}
    assert ok(account.setSettings(wanted))["saveSettings"] is True
    assert wanted.items() <= ok(account.getSettings()).items()
    assert ok(account.getWaSettings())["stateInstance"] == "authorized"
    assert ok(account.qr())["type"] == "alreadyLogged"
    assert ok(account.logout())["isLogout"] is True
    assert ok(account.qr())["type"] == "qrCode"
    assert len(ok(account.getAuthorizationCode(15550100001))["code"]) == 8
    control("PATCH", "/green/hotel", {"state": "authorized"})
    assert ok(account.reboot())["isReboot"] is True


def test_it_looks_people_and_journals_up(hotel):
    service, journals, queues = hotel.serviceMethods, hotel.journals, hotel.queues
    private = ok(service.checkWhatsapp(15550100002))["chatId"]
    assert ok(service.getContactInfo(private))["chatId"] == GUEST
    assert any(contact["id"] == GUEST for contact in ok(service.getContacts()))
    assert ok(service.getAvatar(GUEST))["available"] is False
    sent = ok(hotel.sending.sendMessage(GUEST, "Room 12"))["idMessage"]
    ok(service.editMessage(GUEST, sent, "Room 13"))
    assert ok(journals.getMessage(GUEST, sent))["isEdited"] is True
    ok(service.deleteMessage(GUEST, sent))
    ok(service.archiveChat(GUEST))
    ok(service.unarchiveChat(GUEST))
    assert ok(service.setDisappearingChat(GUEST, 86400))["ephemeralExpiration"] == 86400
    assert ok(hotel.marking.readChat(GUEST))["setRead"] is True
    assert ok(journals.getChatHistory(GUEST, 1))[0]["idMessage"] == sent
    assert any(message["idMessage"] == sent for message in ok(journals.lastOutgoingMessages(60)))
    assert ok(journals.lastIncomingCalls()) == []
    assert ok(queues.clearMessagesQueue())["isCleared"] is True
    ok(queues.showMessagesQueue())
    ok(queues.getMessagesCount())
    ok(queues.getWebhooksCount())


def test_it_makes_groups(hotel):
    groups = hotel.groups
    group = ok(groups.createGroup("Room 12", [GUEST]))["chatId"]
    assert ok(groups.updateGroupName(group, "Room 13"))["updateGroupName"] is True
    assert ok(groups.addGroupParticipant(group, "15550100003@c.us"))["addParticipant"] is True
    assert ok(groups.setGroupAdmin(group, "15550100003@c.us"))["setGroupAdmin"] is True
    assert ok(groups.getGroupData(group))["subject"] == "Room 13"
    ok(hotel.sending.sendMessage(group, "Hello all"))
    assert ok(groups.leaveGroup(group))["leaveGroup"] is True


def next_incoming(hotel):
    """The next message of a guest; news of what the tests before sent may still come first."""
    while True:
        notification = ok(hotel.receiving.receiveNotification())
        if notification["body"]["typeWebhook"] == "incomingMessageReceived":
            return notification
        ok(hotel.receiving.deleteNotification(notification["receiptId"]))


def test_it_polls(hotel):
    ok(hotel.queues.clearWebhooksQueue())
    written = control("POST", "/customers/ada/messages", {"inbox_id": "hotel", "kind": "voice"})["message_id"]
    notification = next_incoming(hotel)
    assert notification["body"]["messageData"]["typeMessage"] == "audioMessage"
    url = ok(hotel.receiving.downloadFile(GUEST, written))["downloadUrl"]
    assert urllib.request.urlopen(url).read(4) == b"OggS"
    assert ok(hotel.receiving.deleteNotification(notification["receiptId"]))["result"] is True
    heard = []

    def hear(kind, body):
        if kind != "incomingMessageReceived":
            return  # news of what the tests before sent may still come
        heard.append((kind, body["messageData"]["textMessageData"]["textMessage"]))
        if len(heard) == 2:
            hotel.webhooks.stopReceivingNotifications()

    listening = threading.Thread(target=hotel.webhooks.startReceivingNotifications, args=(hear,))
    listening.start()
    for text in ("one", "two"):
        control("POST", "/customers/ada/messages", {"inbox_id": "hotel", "kind": "text", "text": text})
    listening.join(timeout=30)
    assert heard == [("incomingMessageReceived", "one"), ("incomingMessageReceived", "two")]


def test_its_other_half_is_asynchronous(hotel, tmp_path):
    note = tmp_path / "note.txt"
    note.write_text("see you")

    async def both():
        ok(await hotel.sending.sendMessageAsync(GUEST, "Hello"))
        return ok(await hotel.sending.sendFileByUploadAsync(GUEST, str(note), "note.txt"))

    assert asyncio.run(both())["urlFile"].endswith(".txt")


def test_it_is_refused_in_words_it_hands_on(hotel):
    assert hotel.sending.sendMessage("nobody", "x").code == 400
    stranger = API.GreenAPI(ID, "wrong", host=hotel.host, media=hotel.media)
    assert stranger.account.getSettings().code == 401
    nowhere = API.GreenAPI("7", TOKEN, host=hotel.host, media=hotel.media)
    assert nowhere.account.getSettings().code == 403
    control("PATCH", "/green/hotel", {"checks_left": 0})
    assert hotel.serviceMethods.checkWhatsapp(15550100002).code == 466
    before = len(control("GET", "/deliveries?inbox_id=hotel")["data"])
    control("PUT", "/faults/green_api", [{"fault": "too_many_requests", "retry_after_s": 1, "next": 1}])
    ok(hotel.sending.sendMessage(GUEST, "in the second attempt"))
    assert len(control("GET", "/deliveries?inbox_id=hotel")["data"]) == before + 1
    control("DELETE", "/faults")
