//! The nouns of Frontdesk and their rules; no I/O.
