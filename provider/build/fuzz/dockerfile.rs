//! Feeds the reader of Dockerfiles.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| image_build::fuzz::dockerfile(data));
