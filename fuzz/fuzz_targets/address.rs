#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| frontdesk_testkit::fuzz::feed("address", bytes));
