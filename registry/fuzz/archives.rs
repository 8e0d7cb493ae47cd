//! Feeds archives as `docker save` writes them.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ecr_registry::fuzz::archives(data));
