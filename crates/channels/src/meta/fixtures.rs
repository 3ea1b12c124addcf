//! Bodies to test with. Those recorded for the client crate stand there (`meta-graph-client/fixtures`), once; what they
//! do not cover stands in `fixtures/` of each channel.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::contract::{Door, RoutedEvent};

/// Where the bodies of a channel are: `recorded` is the client crate's name of it.
pub(crate) fn folders(channel: &str, recorded: &str) -> [PathBuf; 2] {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    [
        here.join("../clients/meta-graph-client/fixtures").join(recorded),
        here.join("src").join(channel).join("fixtures"),
    ]
}

/// The events of one body, by the name of its file.
pub(crate) fn events(channel: &str, recorded: &str, name: &str) -> Vec<RoutedEvent> {
    let file = format!("{name}.json");
    let path = folders(channel, recorded).into_iter().map(|f| f.join(&file)).find(|path| path.exists());
    let body = fs::read(path.expect("the fixture exists")).expect("the fixture can be read");
    super::DOOR.parse(&body).expect("the fixture is a webhook")
}

/// The names of all bodies of a channel.
pub(crate) fn names(channel: &str, recorded: &str) -> BTreeSet<String> {
    let files =
        folders(channel, recorded).into_iter().flat_map(|folder| fs::read_dir(folder).expect("a folder"));
    files
        .map(|file| file.expect("a file").path().file_stem().expect("a name").to_string_lossy().into_owned())
        .collect()
}

/// One test per body, named after what it shows: body in, snapshot out. A body without a test fails too.
macro_rules! fixture_tests {
    ($channel:literal, $recorded:literal, $($test:ident: $name:literal),+ $(,)?) => {
        $(
            #[test]
            fn $test() {
                insta::assert_debug_snapshot!(
                    stringify!($test),
                    crate::meta::fixtures::events($channel, $recorded, $name)
                );
            }
        )+

        #[test]
        fn every_body_has_a_test() {
            let tested: std::collections::BTreeSet<String> = [$($name),+].map(str::to_owned).into();
            assert_eq!(crate::meta::fixtures::names($channel, $recorded), tested);
        }
    };
}
pub(crate) use fixture_tests;
