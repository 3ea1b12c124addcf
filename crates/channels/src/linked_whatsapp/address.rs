//! How WhatsApp names people and chats: `628…@s.whatsapp.net` by number, `…@lid` where the number is hidden, `…@g.us` for a
//! group.

use frontdesk_model::contact::{Identity, IdentityKind};

/// The chat of a number, digits.
pub fn of_phone(digits: &str) -> String {
    format!("{digits}@s.whatsapp.net")
}

/// The digits of a chat that is named by number.
pub fn phone_of(chat: &str) -> Option<&str> {
    let digits = chat.strip_suffix("@s.whatsapp.net")?;
    digits.bytes().all(|b| b.is_ascii_digit()).then_some(digits)
}

/// True for the chat of a group.
pub fn is_group(chat: &str) -> bool {
    chat.ends_with("@g.us")
}

/// The names of somebody, strongest first: the number, then WhatsApp's own id.
pub fn identities(phone: Option<&str>, lid: Option<&str>) -> Vec<Identity> {
    let phone = phone.and_then(Identity::phone);
    let lid = lid.filter(|lid| !lid.is_empty()).map(|lid| Identity::new(IdentityKind::Lid, lid));
    phone.into_iter().chain(lid).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chat_by_number_reads_back_and_others_name_none() {
        assert_eq!(phone_of(&of_phone("6281390045512")), Some("6281390045512"));
        for other in ["98765@lid", "1203@g.us", "62x@s.whatsapp.net", ""] {
            assert_eq!(phone_of(other), None, "{other}");
        }
        assert!(is_group("1203@g.us") && !is_group("98765@lid"));
    }

    #[test]
    fn a_person_is_known_by_number_first() {
        let names = identities(Some("6281390045512"), Some("98765@lid"));
        assert_eq!(
            names.iter().map(|n| n.kind).collect::<Vec<_>>(),
            [IdentityKind::Phone, IdentityKind::Lid]
        );
        assert!(identities(None, None).is_empty());
    }
}
