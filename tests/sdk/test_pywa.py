"""pywa as the business: it sends, fetches files, raises its typed errors, and reads our signed webhooks."""

import json
import os
import threading
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from fastapi import FastAPI
from pywa import WhatsApp, errors, types

SANDBOX_URL = os.environ.get("SANDBOX_URL", "http://127.0.0.1:9090")
APP_SECRET = "sdk-app-secret"
NUMBER = "108144372211905"
SARI = "6281390045512"


def control(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{SANDBOX_URL}/control{path}", data=data, method=method)
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=30) as response:
        text = response.read()
    return json.loads(text) if text else None


class Business:
    """Records raw webhook bodies and their signatures."""

    def __init__(self):
        self.received = []
        business = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                business.received.append((body, self.headers.get("X-Hub-Signature-256")))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/webhook"

    def take(self):
        assert control("GET", "/idle?timeout_ms=10000")["idle"], "the sandbox is still telling"
        received, self.received = self.received, []
        return received


@pytest.fixture(scope="module")
def business():
    business = Business()
    control("POST", "/reset")
    control("PATCH", "/settings", {"webhook": {"url": business.url, "app_secret": APP_SECRET}})
    yield business
    control("PATCH", "/settings", {"webhook": {"url": None, "app_secret": None}})
    business.server.shutdown()


@pytest.fixture(scope="module")
def customer(business):
    return control("POST", "/customers", {"name": "Sari Wulandari", "phone": SARI})["id"]


@pytest.fixture
def first(business, customer):
    """A message of the customer, which opens the window."""
    message_id = act(customer, kind="text", text="Halo")
    business.take()
    return message_id


@pytest.fixture(scope="module")
def whatsapp(business):
    client = WhatsApp(
        phone_id=NUMBER,
        token="EAAtest",
        server=FastAPI(),
        verify_token="v",
        app_secret=APP_SECRET,
        filter_updates=False,
    )
    # pywa has no setting for the server's address.
    client.api._session.base_url = f"{SANDBOX_URL}/graph/v25.0"
    return client


def act(customer, **action):
    return control("POST", f"/customers/{customer}/messages", {"inbox_id": "whatsapp", **action})["message_id"]


def newest(customer):
    return control("GET", f"/customers/{customer}/chats/whatsapp")["entries"][-1]


BUTTONS = [types.Button(title="Ya", callback_data="y"), types.Button(title="Tidak", callback_data="n")]
LIST = types.SectionList(
    button_title="Open",
    sections=[types.Section(title="Days", rows=[types.SectionRow(title="Selasa", callback_data="1")])],
)
CARD = types.Contact(
    name=types.Contact.Name(formatted_name="Budi S", first_name="Budi"),
    phones=[types.Contact.Phone(phone="+628", type="CELL")],
)

SENDS = {
    "text": lambda wa, first: wa.send_message(SARI, "Halo 👋"),
    "text reply": lambda wa, first: wa.send_message(SARI, "Ya", reply_to_message_id=first),
    "interactive buttons": lambda wa, first: wa.send_message(SARI, "Pick", buttons=BUTTONS),
    "interactive list": lambda wa, first: wa.send_message(SARI, "Pick", buttons=LIST),
    "image link": lambda wa, first: wa.send_image(SARI, "https://example.com/a.jpg", caption="x"),
    "location": lambda wa, first: wa.send_location(SARI, latitude=-6.17, longitude=106.8, name="Monas"),
    "contacts": lambda wa, first: wa.send_contact(SARI, CARD),
    "reaction": lambda wa, first: wa.send_reaction(SARI, "😀", first),
}


@pytest.mark.parametrize("kind", SENDS)
def test_each_kind_reaches_the_phone(whatsapp, customer, first, kind):
    sent = SENDS[kind](whatsapp, first)
    entry = newest(customer)
    assert entry["id"] == getattr(sent, "id", sent)
    assert entry["kind"] == kind.split()[0]


def test_a_template_with_upper_case_components_is_taken(whatsapp, customer):
    template = types.templates
    whatsapp.send_template(
        SARI,
        name="order_update",
        language=template.TemplateLanguage.INDONESIAN,
        params=[template.BodyText.params("Sari", "#4471")],
    )
    assert newest(customer)["text"] == "Halo Sari, pesanan #4471 sudah dikirim."


def test_a_customer_without_number_is_reached(whatsapp, business):
    rina = control("POST", "/customers", {"name": "Rina", "bsuid_only": True})
    act(rina["id"], kind="text", text="Hai")
    business.take()
    whatsapp.send_message(rina["bsuid"], "Hai juga")
    assert newest(rina["id"])["text"] == "Hai juga"


def test_files_go_up_and_come_down(whatsapp, business, customer, first):
    whatsapp.send_document(SARI, b"%PDF-1.4", filename="nota.pdf", mime_type="application/pdf")
    assert newest(customer)["media"]["file_name"] == "nota.pdf"
    business.take()
    act(customer, kind="image")
    [(body, _)] = business.take()
    image = json.loads(body)["entry"][0]["changes"][0]["value"]["messages"][0]["image"]
    described = whatsapp.get_media_url(image["id"])
    assert described.mime_type == "image/jpeg"
    assert whatsapp.get_media_bytes(described.url).startswith(b"\xff\xd8\xff")


def test_read_and_typing_are_shown(whatsapp, customer, first):
    whatsapp.mark_message_as_read(first)
    assert newest(customer)["progress"] == "read"
    whatsapp.indicate_typing(first)
    assert control("GET", f"/customers/{customer}/chats/whatsapp")["business_typing_until_ms"]


def test_a_closed_window_is_pywas_re_engagement_error(whatsapp, customer, first):
    control("POST", f"/customers/{customer}/chats/whatsapp/silence", {"hours": 24})
    with pytest.raises(errors.ReEngagementMessage):
        whatsapp.send_message(SARI, "late")


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (130429, errors.RateLimitHit),
        (131026, errors.MessageUndeliverable),
        (131056, errors.TooManyMessages),
        (190, errors.ExpiredAccessToken),
    ],
)
def test_codes_become_pywas_errors(whatsapp, customer, first, code, error):
    control("PUT", "/faults/whatsapp_cloud", [{"fault": "error_code", "code": code, "next": 1}])
    with pytest.raises(error):
        whatsapp.send_message(SARI, "x")


ACTIONS = [
    {"kind": "text", "text": "Café 👍 https://example.com/a"},
    {"kind": "image", "caption": "foto"},
    {"kind": "voice"},
    {"kind": "audio"},
    {"kind": "video"},
    {"kind": "document", "file_name": "bukti ñ.pdf"},
    {"kind": "sticker", "sample": "sticker-animated.webp"},
    {"kind": "location", "latitude": -6.2, "longitude": 106.8, "name": "Monas"},
    {"kind": "contacts", "contacts": [{"name": "Budi S", "phone": "+62 8"}]},
    {"kind": "order", "product_retailer_id": "1", "quantity": 2, "item_price": 10.5, "currency": "IDR"},
    {"kind": "unsupported"},
]


@pytest.fixture(scope="module")
def updates(whatsapp):
    """What pywa made of the updates that it handled, so far."""
    seen = []
    for listen in (
        whatsapp.on_message,
        whatsapp.on_callback_button,
        whatsapp.on_callback_selection,
        whatsapp.on_message_status,
    ):
        listen(lambda _, update: seen.append(update))
    return seen


@pytest.fixture
def handled(updates):
    updates.clear()
    return updates


def deliver(whatsapp, business):
    """Hands what the sandbox sent to pywa, which must find it genuine."""
    for body, signature in business.take():
        assert whatsapp.webhook_update_validator(body, signature) is None
        answer, status = whatsapp.webhook_update_handler(body)
        assert status == 200, answer


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action["kind"])
def test_our_webhooks_are_genuine_and_understood(whatsapp, business, customer, handled, action):
    message_id = act(customer, **action)
    deliver(whatsapp, business)
    message = handled[-1]
    assert isinstance(message, types.Message)
    assert (message.id, message.from_user.wa_id) == (message_id, SARI)
    if action["kind"] == "text":
        assert message.text == action["text"]


def test_button_and_list_replies_are_understood(whatsapp, business, customer, first, handled):
    question = getattr(whatsapp.send_message(SARI, "Pick", buttons=BUTTONS), "id", None)
    business.take()
    act(customer, kind="button_reply", message_id=question, id="y", title="Ya")
    deliver(whatsapp, business)
    assert isinstance(handled[-1], types.CallbackButton) and handled[-1].data == "y"
    act(customer, kind="list_reply", message_id=question, id="1", title="Selasa")
    deliver(whatsapp, business)
    assert isinstance(handled[-1], types.CallbackSelection) and handled[-1].data == "1"


def test_statuses_are_understood(whatsapp, business, customer, first, handled):
    sent = whatsapp.send_message(SARI, "x", tracker="msg:42")
    deliver(whatsapp, business)
    statuses = [update for update in handled if isinstance(update, types.MessageStatus)]
    assert [status.status.value for status in statuses] == ["sent", "delivered"]
    assert {status.id for status in statuses} == {getattr(sent, "id", sent)}
    assert statuses[0].tracker == "msg:42"


def test_a_changed_byte_is_refused(whatsapp, business, customer):
    act(customer, kind="text", text="x")
    body, signature = business.take()[-1]
    assert whatsapp.webhook_update_validator(body[:-1] + b" ", signature) is not None


def test_the_verification_handshake_answers_the_challenge(whatsapp):
    assert whatsapp.webhook_challenge_handler("v", "abc123") == ("abc123", 200)
    assert whatsapp.webhook_challenge_handler("w", "abc123")[1] == 403
