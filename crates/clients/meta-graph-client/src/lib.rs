//! Typed client and webhook types for Meta's Graph API: WhatsApp Cloud, Messenger, Instagram.
