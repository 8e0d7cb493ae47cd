//! Feeds files and answers with logins in them.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ecr_registry::fuzz::logins(data));
