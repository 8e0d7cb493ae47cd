//! Feeds names of images.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| ecr_registry::fuzz::names(data));
