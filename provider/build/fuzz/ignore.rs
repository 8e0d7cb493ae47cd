//! Feeds the reader of ignore files.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| image_build::fuzz::ignore(data));
