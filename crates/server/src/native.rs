//! The driver of linked phones that speaks to WhatsApp itself: in builds with the feature `linked-whatsapp` alone.

use frontdesk_channels::contract::DriverKind;

/// What `frontdesk --version` says. A build with the driver contains code under AGPL-3.0 and says so.
#[cfg(feature = "linked-whatsapp")]
pub const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION"),
    " with the feature linked-whatsapp\n\
     This build contains code of Signal under AGPL-3.0-only: treat it as AGPL-3.0 (docs/adr/0021-native-driver-apart.md).\n\
     WhatsApp forbids programs that are not its own and may ban a number that is linked to one."
);
/// What `frontdesk --version` says.
#[cfg(not(feature = "linked-whatsapp"))]
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The drivers that this build has beside those of the channel itself.
pub fn drivers() -> Vec<&'static dyn DriverKind> {
    #[cfg(feature = "linked-whatsapp")]
    return vec![&frontdesk_whatsapp_native::Native];
    #[cfg(not(feature = "linked-whatsapp"))]
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_with_the_driver_and_no_other_names_the_licence() {
        let has_driver = drivers().iter().any(|kind| kind.info().name == "native");
        assert_eq!(has_driver, cfg!(feature = "linked-whatsapp"));
        assert_eq!(VERSION.contains("AGPL-3.0"), has_driver);
        assert!(VERSION.starts_with(env!("CARGO_PKG_VERSION")));
    }
}
