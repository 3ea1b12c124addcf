//! Every method as data. To add one: a line here, its call below [`crate::methods`].

use reqwest::Method as Verb;

/// Kind of method; an instance has limits for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Messages.
    Sends,
    /// `receiveNotification`, `deleteNotification`.
    Polling,
    /// Read marks, look-ups of one number or message, archiving, group members.
    Marks,
    /// Files up and down without a message.
    Files,
    /// The QR code.
    Qr,
    /// State, settings, journals, queues, contacts.
    Account,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 6] =
        [Self::Sends, Self::Polling, Self::Marks, Self::Files, Self::Qr, Self::Account];

    /// Stable lower-case name, for metric labels.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sends => "sends",
            Self::Polling => "polling",
            Self::Marks => "marks",
            Self::Files => "files",
            Self::Qr => "qr",
            Self::Account => "account",
        }
    }
}

/// May a call be repeated when it failed?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Yes: it reads, or doing it twice is doing it once.
    Harmless,
    /// Only where it is certain that nothing was done: somebody would get two messages.
    IfCertain,
}

/// One method of the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method {
    /// Its name in the address.
    pub name: &'static str,
    /// GET, POST or DELETE.
    pub verb: Verb,
    /// Whose limits it is under.
    pub class: Class,
    /// May a call be repeated?
    pub repeat: Repeat,
    /// On `mediaUrl` in place of `apiUrl`.
    pub on_media_host: bool,
}

const fn method(verb: Verb, name: &'static str, class: Class) -> Method {
    Method { name, verb, class, repeat: Repeat::Harmless, on_media_host: false }
}

const fn post(name: &'static str, class: Class) -> Method {
    method(Verb::POST, name, class)
}

const fn get(name: &'static str, class: Class) -> Method {
    method(Verb::GET, name, class)
}

impl Method {
    const fn once(mut self) -> Self {
        self.repeat = Repeat::IfCertain;
        self
    }

    const fn on_media_host(mut self) -> Self {
        self.on_media_host = true;
        self
    }
}

macro_rules! methods {
    ($($name:ident = $method:expr;)*) => {
        $(#[doc = concat!("`", stringify!($name), "`")] pub const $name: Method = $method;)*
        /// Every method.
        pub const ALL: &[Method] = &[$($name),*];
    };
}

methods! {
    SEND_MESSAGE = post("sendMessage", Class::Sends).once();
    SEND_FILE_BY_URL = post("sendFileByUrl", Class::Sends).once();
    SEND_FILE_BY_UPLOAD = post("sendFileByUpload", Class::Sends).once().on_media_host();
    UPLOAD_FILE = post("uploadFile", Class::Files).on_media_host();
    SEND_LOCATION = post("sendLocation", Class::Sends).once();
    SEND_CONTACT = post("sendContact", Class::Sends).once();
    SEND_POLL = post("sendPoll", Class::Sends).once();
    SEND_INTERACTIVE_BUTTONS = post("sendInteractiveButtons", Class::Sends).once();
    SEND_INTERACTIVE_BUTTONS_REPLY = post("sendInteractiveButtonsReply", Class::Sends).once();
    FORWARD_MESSAGES = post("forwardMessages", Class::Sends).once();
    SEND_TYPING = post("sendTyping", Class::Marks);

    RECEIVE_NOTIFICATION = get("receiveNotification", Class::Polling);
    DELETE_NOTIFICATION = method(Verb::DELETE, "deleteNotification", Class::Polling);
    DOWNLOAD_FILE = post("downloadFile", Class::Files);

    READ_CHAT = post("readChat", Class::Marks);
    EDIT_MESSAGE = post("editMessage", Class::Account);
    DELETE_MESSAGE = post("deleteMessage", Class::Marks);
    ARCHIVE_CHAT = post("archiveChat", Class::Marks);
    UNARCHIVE_CHAT = post("unarchiveChat", Class::Marks);
    SET_DISAPPEARING_CHAT = post("setDisappearingChat", Class::Account);

    CHECK_WHATSAPP = post("checkWhatsapp", Class::Marks);
    GET_CONTACTS = get("getContacts", Class::Account);
    GET_CONTACT_INFO = post("getContactInfo", Class::Account);
    GET_AVATAR = post("getAvatar", Class::Marks);
    ADD_CONTACT = post("addContact", Class::Account);
    EDIT_CONTACT = post("editContact", Class::Account);
    DELETE_CONTACT = post("deleteContact", Class::Account);

    GET_CHAT_HISTORY = post("getChatHistory", Class::Account);
    GET_MESSAGE = post("getMessage", Class::Marks);
    LAST_INCOMING_MESSAGES = get("lastIncomingMessages", Class::Account);
    LAST_OUTGOING_MESSAGES = get("lastOutgoingMessages", Class::Account);
    LAST_INCOMING_CALLS = get("lastIncomingCalls", Class::Account);
    LAST_OUTGOING_CALLS = get("lastOutgoingCalls", Class::Account);

    GET_MESSAGES_COUNT = get("getMessagesCount", Class::Account);
    GET_WEBHOOKS_COUNT = get("getWebhooksCount", Class::Account);
    SHOW_MESSAGES_QUEUE = get("showMessagesQueue", Class::Account);
    CLEAR_MESSAGES_QUEUE = get("clearMessagesQueue", Class::Account);
    CLEAR_WEBHOOKS_QUEUE = method(Verb::DELETE, "clearWebhooksQueue", Class::Account).once();

    GET_STATE_INSTANCE = get("getStateInstance", Class::Account);
    GET_SETTINGS = get("getSettings", Class::Account);
    SET_SETTINGS = post("setSettings", Class::Account);
    GET_WA_SETTINGS = get("getWaSettings", Class::Account);
    QR = get("qr", Class::Qr);
    GET_AUTHORIZATION_CODE = post("getAuthorizationCode", Class::Account).once();
    REBOOT = get("reboot", Class::Account).once();
    LOGOUT = get("logout", Class::Account);
    UPDATE_API_TOKEN = get("updateApiToken", Class::Account).once();
    SET_PROFILE_PICTURE = post("setProfilePicture", Class::Account);

    CREATE_GROUP = post("createGroup", Class::Account).once();
    UPDATE_GROUP_NAME = post("updateGroupName", Class::Account);
    GET_GROUP_DATA = post("getGroupData", Class::Account);
    ADD_GROUP_PARTICIPANT = post("addGroupParticipant", Class::Marks);
    REMOVE_GROUP_PARTICIPANT = post("removeGroupParticipant", Class::Marks);
    SET_GROUP_ADMIN = post("setGroupAdmin", Class::Marks);
    REMOVE_ADMIN = post("removeAdmin", Class::Marks);
    SET_GROUP_PICTURE = post("setGroupPicture", Class::Account);
    LEAVE_GROUP = post("leaveGroup", Class::Marks);
}
