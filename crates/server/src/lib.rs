//! The frontdesk binary: settings, wiring, commands.
